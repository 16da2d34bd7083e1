/** One line of the results: our figure, the raw limit measured in the same run, and our aim. */
export interface Row {
  readonly what: string;
  readonly unit: string;
  readonly measured: number;
  /** The same work by the bare libraries, or by ourselves on little data where `what` says so. */
  readonly raw: number;
  /** The aim for `ratio`. Absent: the row is for information. */
  readonly aim?: Aim;
  /** The median over rounds of `measured` divided by `raw`. */
  readonly ratio: number;
}

export type Aim = { readonly atLeast: number } | { readonly atMost: number };

/** The measurement of one file in `parts/`. It stops everything it starts. */
export type Part = () => Promise<readonly Row[]>;

export function isMet({ ratio, aim }: Row): boolean {
  if (aim === undefined) return true;
  return "atLeast" in aim ? ratio >= aim.atLeast : ratio <= aim.atMost;
}
