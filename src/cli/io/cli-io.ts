/** The inputs and outputs of a `jit` run: terminal or pipe, environment and time. */
export interface CliIo {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Writes data to standard output. */
  readonly out: (text: string | Uint8Array) => Promise<void>;
  /** Writes progress, notes and errors to standard error. */
  readonly err: (text: string) => void;
  /** Whether a person reads the data: then times are local, tables fit the width, and control characters are removed. */
  readonly isTerminal: boolean;
  /** Asks the person at the terminal a yes-or-no question; absent without a terminal. */
  readonly confirm?: (question: string) => Promise<boolean>;
  /** The width of the terminal. */
  readonly columns: number;
  /** How long the service may take to respond. */
  readonly timeoutMs: number;
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** Resolves after the time, or when the signal aborts. */
  readonly pause: (ms: number, signal?: AbortSignal) => Promise<void>;
}
