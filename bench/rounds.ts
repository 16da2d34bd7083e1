/** One reading of the thing measured and of the raw thing, taken one right after the other. */
export interface Round {
  readonly measured: number;
  readonly raw: number;
}

/**
 * Measures both by turns, so that what disturbs the machine disturbs both, and takes medians: of each, and of the
 * ratios of neighbours. `warmUps` rounds are thrown away.
 */
export async function byTurns(
  count: number,
  measured: () => Promise<number> | number,
  raw: () => Promise<number> | number,
  warmUps = 1,
): Promise<Round & { readonly ratio: number }> {
  const rounds: Round[] = [];
  for (let round = -warmUps; round < count; round++) {
    const one = round % 2 === 0 ? await inOrder(measured, raw) : swapped(await inOrder(raw, measured));
    if (round >= 0) rounds.push(one);
  }
  return summary(rounds);
}

export function summary(rounds: readonly Round[]): Round & { readonly ratio: number } {
  return {
    measured: median(rounds.map((one) => one.measured)),
    raw: median(rounds.map((one) => one.raw)),
    ratio: median(rounds.map((one) => one.measured / one.raw)),
  };
}

export function median(numbers: readonly number[]): number {
  return percentile(numbers, 0.5);
}

export function percentile(numbers: readonly number[], share: number): number {
  const sorted = numbers.toSorted((one, other) => one - other);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

async function inOrder(
  measured: () => Promise<number> | number,
  raw: () => Promise<number> | number,
): Promise<Round> {
  return { measured: await measured(), raw: await raw() };
}

function swapped({ measured, raw }: Round): Round {
  return { measured: raw, raw: measured };
}
