import { constants } from "node:os";
import { Failure } from "./failure.ts";
import { watchNpm } from "./npm-watch.ts";
import type { CliIo } from "./cli-io.ts";

/** The signals that arrive while a command is prepared and while it runs. */
export interface Signals {
  /** Aborted by the first signal that stops us; its reason is a Failure with 128 + n. */
  readonly stopped: AbortSignal;
  /** From now on, the handler receives all signals and they no longer abort {@link stopped}. */
  handTo(handler: (signal: NodeJS.Signals) => void): void;
  /** Restores the default behaviour of signals. */
  release(): void;
}

const stopSignals: readonly NodeJS.Signals[] = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"];
const userSignals: readonly NodeJS.Signals[] = ["SIGUSR1", "SIGUSR2"];

/** Catches signals that would end us, so that access is given back first. The death of npm counts as SIGTERM. */
export function catchSignals({ environment }: CliIo): Signals {
  const stopped = new AbortController();
  let handler: ((signal: NodeJS.Signals) => void) | undefined;
  let wasTerminated = false;
  const listener = (signal: NodeJS.Signals): void => {
    wasTerminated ||= signal === "SIGTERM" || signal === "SIGHUP";
    if (handler !== undefined) return handler(signal);
    if (!stopSignals.includes(signal)) return;
    if (stopped.signal.aborted) process.exit(exitCodeOf(signal));
    stopped.abort(
      new Failure(exitCodeOf(signal), "interrupted", `Stopped by ${signal}; nothing was started.`),
    );
  };
  const all = [...stopSignals, ...userSignals];
  for (const signal of all) process.on(signal, listener);
  const endWatch = watchNpm(environment, () => {
    // Not after another signal, because a second one would stop us at once.
    if (!wasTerminated && (handler !== undefined || !stopped.signal.aborted)) listener("SIGTERM");
  });
  return {
    stopped: stopped.signal,
    handTo: (newHandler) => {
      handler = newHandler;
    },
    release: () => {
      endWatch();
      for (const signal of all) process.off(signal, listener);
    },
  };
}

/** The exit code that a shell reports for a process ended by a signal. */
export function exitCodeOf(signal: NodeJS.Signals): number {
  return 128 + constants.signals[signal];
}

/**
 * Whether the terminal has sent this signal to every process itself, as for Ctrl-C and Ctrl-\. Forwarding it would
 * deliver it twice, and many programs exit at once on the second.
 */
export function isFromTerminal(signal: NodeJS.Signals): boolean {
  const isAtTerminal = [process.stdin, process.stdout, process.stderr].some(({ isTTY }) => isTTY);
  return isAtTerminal && (signal === "SIGINT" || signal === "SIGQUIT");
}
