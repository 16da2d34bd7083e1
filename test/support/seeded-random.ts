/** Random numbers that a printed seed reproduces: mulberry32. */
export interface SeededRandom {
  readonly seed: number;
  /** A whole number from 0 to `below` - 1. */
  below(below: number): number;
  pick<T>(choices: readonly [T, ...T[]]): T;
}

/** `CRASH_SEED` in the environment, or a new one each time. */
export function createSeededRandom(
  seed = Number(process.env["CRASH_SEED"] ?? Date.now() % 1_000_000),
): SeededRandom {
  process.stdout.write(`chance of this run: CRASH_SEED=${seed}\n`);
  let state = seed;
  const below = (limit: number): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit;
  };
  return { seed, below, pick: (choices) => choices[below(choices.length)] ?? choices[0] };
}
