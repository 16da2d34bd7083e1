/** One line of the results: our figure, the raw limit measured in the same run, and what is expected. */
export interface Row {
  readonly what: string;
  readonly unit: string;
  readonly measured: number;
  /** The same work by the bare libraries, or by ourselves on little data where `what` says so. */
  readonly raw: number;
  /** The expected `ratio`, for information: nothing fails when it is missed. */
  readonly expected?: Expected;
  /** The median over rounds of `measured` divided by `raw`. */
  readonly ratio: number;
}

export type Expected = { readonly atLeast: number } | { readonly atMost: number };

/** The measurement of one file in `parts/`. It stops everything it starts. */
export type Part = () => Promise<readonly Row[]>;
