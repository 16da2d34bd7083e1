import type { ApproverReviewService } from "../../service/requests/approver-review-service.ts";
import { secondMs } from "../../core/values/time.ts";

/** How often one batch of the waiting requests is looked at. */
export const approverReviewMs = 5 * secondMs;

export interface ApproverReviewSweep {
  /** Looks at the next batch, unless one is being looked at. Never throws. */
  tick(): Promise<void>;
  /** Starts no more and waits for the batch under way. */
  stop(): Promise<void>;
}

/**
 * Looks at all waiting requests in turn, for changes that nobody announces: the groups of Slack, and what happened
 * before this version ran. On an interval of its own, because Slack may be slow to answer and nothing else may wait.
 */
export function startApproverReviewSweep(
  reviews: ApproverReviewService,
  onFault: (fault: unknown) => void,
  intervalMs = approverReviewMs,
): ApproverReviewSweep {
  let after = 0;
  let inFlight: Promise<void> | undefined;
  let isStopped = false;

  const batch = async (): Promise<void> => {
    try {
      after = (await reviews.reviewBatch(after, null)) ?? 0;
    } catch (fault) {
      onFault(fault);
    }
  };

  const tick = async (): Promise<void> => {
    if (isStopped) return;
    inFlight ??= batch().finally(() => {
      inFlight = undefined;
    });
    await inFlight;
  };

  const timer = setInterval(() => void tick(), intervalMs);
  return {
    tick,
    async stop() {
      isStopped = true;
      clearInterval(timer);
      await inFlight;
    },
  };
}
