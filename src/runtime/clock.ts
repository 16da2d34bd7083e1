import { instant, type Instant } from "../core/ids.ts";

/** How far the system clock may fall behind before it counts as set back rather than corrected. */
const setBackMs = 500;

export interface ClockSources {
  /** Milliseconds since 1970, as the system says. */
  readonly system: () => number;
  /** Milliseconds that never go back, from any start. */
  readonly monotonic: () => number;
}

/**
 * The time everything is decided by. It never goes back while we run: when somebody sets the system clock back, it goes
 * on from where it was, so that no access lasts longer for it. A jump forward is believed: access may end early. Across
 * a restart the system clock is believed (design §4).
 */
export function createClock({ system, monotonic }: ClockSources): () => Instant {
  let last = system();
  let lastMonotonic = monotonic();
  return () => {
    const elapsed = monotonic() - lastMonotonic;
    const said = system();
    const isSetBack = said < last + elapsed - setBackMs;
    last = isSetBack ? last + elapsed : Math.max(said, last);
    lastMonotonic += elapsed;
    return instant(last);
  };
}
