import { instant, type Instant } from "../../core/values/ids.ts";
import { secondMs } from "../../core/values/time.ts";

/** How far the system clock may fall behind before it counts as set back rather than corrected. */
const setBackMs = 500;
/** How far the system clock may run ahead of the elapsed time before that counts as a jump. */
const setForwardMs = 2 * secondMs;
/** How far the system clock may be behind the last commit at a start, because healthy machines drift this much. */
export const startToleranceMs = 2 * secondMs;

export interface ClockSources {
  /** Milliseconds since 1970 by the system clock. */
  readonly system: () => number;
  /** Milliseconds that never go back, from any start. */
  readonly monotonic: () => number;
}

export interface ClockOptions {
  /** The time of the last commit. Absent: there is none. */
  readonly lastCommitAt?: Instant | undefined;
  /** Called once for each jump of the system clock, with its size. */
  readonly onJump?: (direction: "back" | "forward", ms: number) => void;
}

export interface Clock {
  /** The time that every decision uses. */
  readonly now: () => Instant;
  /** How many milliseconds the system clock is behind {@link now}; 0 when it is not. */
  readonly behindMs: () => number;
  /** Whether the service started before the time of its last commit, and the system clock has not caught up since. */
  readonly isBehindSinceStart: () => boolean;
}

/**
 * The time everything is decided by. It never goes back: while we run, a system clock that is set back is noticed, and
 * time goes on from where it was; across a restart the time of the last commit is the earliest it can be, and time goes
 * on from there. So no access lasts longer, and what has ended stays ended. A jump forward is believed: access may end
 * early.
 */
export function createClock(
  { system, monotonic }: ClockSources,
  { lastCommitAt, onJump = () => {} }: ClockOptions = {},
): Clock {
  let lastSystem = system();
  let lastMonotonic = monotonic();
  let last = Math.max(lastSystem, lastCommitAt ?? lastSystem);
  let isBehindSinceStart = lastSystem < last - startToleranceMs;

  const read = (): { readonly now: number; readonly systemNow: number } => {
    const elapsed = monotonic() - lastMonotonic;
    const systemNow = system();
    const jump = systemNow - lastSystem - elapsed;
    const isSetBack = systemNow < last + elapsed - setBackMs;
    last = isSetBack ? last + elapsed : Math.max(systemNow, last);
    lastMonotonic += elapsed;
    lastSystem = systemNow;
    isBehindSinceStart &&= isSetBack;
    if (jump < -setBackMs) onJump("back", -jump);
    if (jump > setForwardMs) onJump("forward", jump);
    return { now: last, systemNow };
  };

  return {
    now: () => instant(read().now),
    behindMs: () => {
      const { now, systemNow } = read();
      return Math.max(0, now - systemNow);
    },
    isBehindSinceStart: () => {
      read();
      return isBehindSinceStart;
    },
  };
}
