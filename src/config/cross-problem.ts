/** A complaint about something that no field can know by itself. */
export interface CrossProblem {
  readonly path: readonly string[];
  readonly message: string;
}
