import { minuteMs } from "../../../core/values/time.ts";
import { DeliveryFault } from "../../../service/messaging/messenger.ts";

/**
 * Slack accepts about 50 calls of `chat.update` a minute for a workspace. The rest is left for presses, which rewrite the
 * pressed message at once.
 */
export const updatesPerMinuteMax = { misleading: 45, behind: 20 } as const;

/** Keeps rewrites of messages within Slack's limit. */
export interface UpdateRateLimiter {
  /**
   * Counts one rewrite. Misleading messages may use the whole limit, messages that are only outdated a part of it.
   *
   * @throws DeliveryFault `paced`, with the time to wait, when the limit is reached
   */
  take(isMisleading: boolean): void;
  /** Blocks all rewrites for this time, because Slack said so. */
  pause(ms: number): void;
}

/** @param now Milliseconds of a monotonic clock. */
export function createUpdateRateLimiter(now: () => number): UpdateRateLimiter {
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

/** The time until the oldest rewrite of a full minute is a minute old. */
function waitFor(taken: readonly { readonly at: number }[], max: number, at: number): number {
  const [oldest] = taken;
  return taken.length < max || oldest === undefined ? 0 : oldest.at + minuteMs - at;
}
