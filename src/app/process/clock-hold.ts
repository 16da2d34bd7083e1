import { refuse } from "../../core/values/refusals.ts";
import { formatDuration } from "../../core/values/time.ts";
import type { AccessHold } from "../../service/guards/access-hold.ts";
import type { Clock } from "./clock.ts";

/** Time for somebody to set the clock. */
const retrySeconds = 60;

/** Refuses new access until the system clock has reached the time of the last commit before the start. */
export function clockHold(clock: Pick<Clock, "behindMs" | "isBehindSinceStart">): AccessHold {
  return () =>
    clock.isBehindSinceStart()
      ? refuse(
          "clock_behind",
          `The system clock is ${formatDuration(clock.behindMs())} behind the last recorded change, so no new access is given. Ask an administrator to correct the clock.`,
          { retryAfterSeconds: retrySeconds },
        )
      : undefined;
}
