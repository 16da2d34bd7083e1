import { instant, type Instant } from "../../src/core/values/ids.ts";
import { plus } from "../../src/core/values/time.ts";

export interface SettableClock {
  readonly now: () => Instant;
  /** Advances the clock. */
  pass(ms: number): void;
}

/** A clock that stands still until it is advanced. */
export function settableClock(startMs = Date.UTC(2026, 0, 15, 10, 30)): SettableClock {
  let now = instant(startMs);
  return {
    now: () => now,
    pass: (ms) => {
      now = plus(now, ms);
    },
  };
}
