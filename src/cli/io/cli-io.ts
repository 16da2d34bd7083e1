/** What surrounds a run of `jit`: the terminal or pipe it writes to, its environment, time. */
export interface CliIo {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Data, to standard output. */
  readonly out: (text: string | Uint8Array) => Promise<void>;
  /** Progress, notes and errors, to standard error. */
  readonly err: (text: string) => void;
  /** Whether a person reads the data: then times are local, tables fit the width, and nothing can steer the terminal. */
  readonly isTerminal: boolean;
  /** Asks the person at the terminal, who answers yes or no; absent where nobody can answer. */
  readonly confirm?: (question: string) => Promise<boolean>;
  /** Of the terminal. */
  readonly columns: number;
  /** How long the service may take to answer. */
  readonly timeoutMs: number;
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** Resolves after so long, or at once when the signal ends it. */
  readonly pause: (ms: number, signal?: AbortSignal) => Promise<void>;
}
