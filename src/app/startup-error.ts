import { StoreUnavailable } from "../service/ports/store.ts";

/** Why the service does not start: lines for the operator, no stack. */
export class StartupError extends Error {
  readonly lines: readonly string[];
  constructor(lines: readonly string[]) {
    super(lines.join("\n"));
    this.lines = lines;
  }
}

/** The error that ends a start; one that the disk caused is explained to the operator, and a bug stays a bug. */
export function whyNotStarted(error: unknown): unknown {
  return error instanceof StoreUnavailable
    ? new StartupError([
        `The database cannot be written: ${error.message}. Is the disk full? Make room, and start again.`,
      ])
    : error;
}
