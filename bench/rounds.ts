/** One measurement and one of the raw limit, taken directly after each other. */
export interface Round {
  readonly measured: number;
  readonly raw: number;
}

/**
 * Measures both alternately, so that disturbances of the machine affect both. Returns the medians of each and of the
 * ratio per round. `warmUps` rounds are discarded.
 */
export async function measureAlternately(
  count: number,
  measured: () => Promise<number> | number,
  raw: () => Promise<number> | number,
  warmUps = 1,
): Promise<Round & { readonly ratio: number }> {
  const rounds: Round[] = [];
  for (let round = -warmUps; round < count; round++) {
    const result =
      round % 2 === 0 ? await measureBoth(measured, raw) : swap(await measureBoth(raw, measured));
    if (round >= 0) rounds.push(result);
  }
  return summary(rounds);
}

export function summary(rounds: readonly Round[]): Round & { readonly ratio: number } {
  return {
    measured: median(rounds.map(({ measured }) => measured)),
    raw: median(rounds.map(({ raw }) => raw)),
    ratio: median(rounds.map(({ measured, raw }) => measured / raw)),
  };
}

export function median(numbers: readonly number[]): number {
  return percentile(numbers, 0.5);
}

export function percentile(numbers: readonly number[], share: number): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

async function measureBoth(
  measured: () => Promise<number> | number,
  raw: () => Promise<number> | number,
): Promise<Round> {
  return { measured: await measured(), raw: await raw() };
}

function swap({ measured, raw }: Round): Round {
  return { measured: raw, raw: measured };
}
