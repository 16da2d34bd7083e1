/** One line of the results: what we reach, what the raw parts reach in the same run, and what we aim at. */
export interface Row {
  readonly what: string;
  readonly unit: string;
  readonly measured: number;
  /** The same work by the bare libraries, or, where the text says so, by ourselves on little data. */
  readonly raw: number;
  /** Of `measured` to `raw`, as the median over rounds. Absent: shown for information. */
  readonly aim?: Aim;
  readonly ratio: number;
}

export type Aim = { readonly atLeast: number } | { readonly atMost: number };

/** What one file of `parts/` measures, with everything it starts stopped again. */
export type Part = () => Promise<readonly Row[]>;

export function isMet({ ratio, aim }: Row): boolean {
  if (aim === undefined) return true;
  return "atLeast" in aim ? ratio >= aim.atLeast : ratio <= aim.atMost;
}
