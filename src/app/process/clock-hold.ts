import { refuse } from "../../core/values/refusals.ts";
import { formatDuration } from "../../core/values/time.ts";
import type { AccessHold } from "../../service/guards/access-hold.ts";
import type { Clock } from "./clock.ts";

/** Long enough for somebody to set a clock. */
const retrySeconds = 60;

/** Holds new access back while the system clock has not reached the time of the last commit before the start. */
export function clockHold(clock: Pick<Clock, "behindMs" | "isBehindSinceStart">): AccessHold {
  return () =>
    clock.isBehindSinceStart()
      ? refuse(
          "clock_behind",
          `The system clock is ${formatDuration(clock.behindMs())} behind the last recorded change, so no new access is given. An administrator sets the clock right.`,
          { retryAfterSeconds: retrySeconds },
        )
      : undefined;
}
