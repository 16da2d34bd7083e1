import { StoreUnavailable } from "../service/ports/store.ts";

/** Says why the service does not start, in lines for the operator and without a stack. */
export class StartupError extends Error {
  readonly lines: readonly string[];
  constructor(lines: readonly string[]) {
    super(lines.join("\n"));
    this.lines = lines;
  }
}

/** Explains a database failure to the operator. Any other error is a bug and keeps its stack. */
export function explainStartFailure(error: unknown): unknown {
  return error instanceof StoreUnavailable
    ? new StartupError([
        `The database cannot be written: ${error.message}. Is the disk full? Make room, and start again.`,
      ])
    : error;
}
