import type { ApproverReviewService } from "../../service/requests/approver-review-service.ts";
import { secondMs } from "../../core/values/time.ts";

/** How often one batch of waiting requests is checked. */
export const approverReviewMs = 5 * secondMs;

export interface ApproverReviewSweep {
  /** Checks the next batch, unless one is being checked. Never throws. */
  tick(): Promise<void>;
  /** Starts no more and waits for the running batch. */
  stop(): Promise<void>;
}

/**
 * Checks all waiting requests in turn for changes that cause no event: Slack user groups, and changes made while
 * another version ran. It has an interval of its own, because Slack may be slow and nothing else may wait for it.
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
