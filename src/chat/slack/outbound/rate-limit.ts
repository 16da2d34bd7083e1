import { minuteMs } from "../../../core/values/time.ts";
import { DeliveryFault } from "../../../service/messaging/messenger.ts";

/**
 * What Slack takes of `chat.update` in a minute, for a whole workspace, is about 50. The rest is for presses, which
 * rewrite the pressed message at once.
 */
export const updatesPerMinuteMax = { misleading: 45, behind: 20 } as const;

/** Rewrites of messages, within what Slack takes. */
export interface UpdateBudget {
  /**
   * Takes a place in this minute. Messages that mislead may use all of it, those that are only behind a part.
   *
   * @throws DeliveryFault `paced`, with how long to wait, when there is none
   */
  take(isMisleading: boolean): void;
  /** Slack has said that nothing is taken before this is over. */
  pause(ms: number): void;
}

/** @param now Milliseconds of any clock that goes on. */
export function createUpdateBudget(now: () => number): UpdateBudget {
  let taken: readonly { readonly at: number; readonly isMisleading: boolean }[] = [];
  let pausedUntil = Number.NEGATIVE_INFINITY;
  return {
    take(isMisleading) {
      const at = now();
      taken = taken.filter((one) => at - one.at < minuteMs);
      const behind = taken.filter((one) => !one.isMisleading);
      const wait = Math.max(
        pausedUntil - at,
        waitFor(taken, updatesPerMinuteMax.misleading, at),
        isMisleading ? 0 : waitFor(behind, updatesPerMinuteMax.behind, at),
      );
      if (wait > 0) throw new DeliveryFault("paced", { retryable: true, retryAfterMs: wait });
      taken = [...taken, { at, isMisleading }];
    },
    pause(ms) {
      pausedUntil = Math.max(pausedUntil, now() + ms);
    },
  };
}

/** Until the oldest of a full minute is a minute old. */
function waitFor(taken: readonly { readonly at: number }[], max: number, at: number): number {
  const [oldest] = taken;
  return taken.length < max || oldest === undefined ? 0 : oldest.at + minuteMs - at;
}
