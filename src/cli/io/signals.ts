import { constants } from "node:os";
import { Failure } from "./failure.ts";
import { watchNpm } from "./npm-watch.ts";
import type { CliIo } from "./cli-io.ts";

/** Signals that come while a command is prepared and while it runs. */
export interface Signals {
  /** Ends with the first signal that asks us to stop; its reason is a Failure with 128 + n. */
  readonly stopped: AbortSignal;
  /** From now on signals go here and stop nothing by themselves. */
  handTo(handler: (signal: NodeJS.Signals) => void): void;
  /** Signals do again what they do by default. */
  release(): void;
}

const stopping: readonly NodeJS.Signals[] = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"];
const passing: readonly NodeJS.Signals[] = ["SIGUSR1", "SIGUSR2"];

/** Catches what would end us, so that access is given back before we go. That npm is gone counts as SIGTERM. */
export function catchSignals({ environment }: CliIo): Signals {
  const stopped = new AbortController();
  let handed: ((signal: NodeJS.Signals) => void) | undefined;
  let isToldToEnd = false;
  const listener = (signal: NodeJS.Signals): void => {
    isToldToEnd ||= signal === "SIGTERM" || signal === "SIGHUP";
    if (handed !== undefined) return handed(signal);
    if (!stopping.includes(signal)) return;
    if (stopped.signal.aborted) process.exit(exitCodeOf(signal));
    stopped.abort(
      new Failure(exitCodeOf(signal), "interrupted", `Stopped by ${signal}; nothing was started.`),
    );
  };
  const all = [...stopping, ...passing];
  for (const signal of all) process.on(signal, listener);
  const endWatch = watchNpm(environment, () => {
    // A second signal would be taken for impatience.
    if (!isToldToEnd && (handed !== undefined || !stopped.signal.aborted)) listener("SIGTERM");
  });
  return {
    stopped: stopped.signal,
    handTo: (handler) => {
      handed = handler;
    },
    release: () => {
      endWatch();
      for (const signal of all) process.off(signal, listener);
    },
  };
}

/** What a shell reports of a process that a signal ended. */
export function exitCodeOf(signal: NodeJS.Signals): number {
  return 128 + constants.signals[signal];
}

/**
 * Ctrl-C and Ctrl-\ at a terminal reach every process there by themselves: passed on, they would come twice, and many
 * programs take the second one for impatience.
 */
export function isFromTerminal(signal: NodeJS.Signals): boolean {
  const isAtTerminal = [process.stdin, process.stdout, process.stderr].some(({ isTTY }) => isTTY);
  return isAtTerminal && (signal === "SIGINT" || signal === "SIGQUIT");
}
