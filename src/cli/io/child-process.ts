import { spawn } from "node:child_process";
import { Failure } from "./failure.ts";
import { exitCodeOf } from "./signals.ts";

/** A running command. */
export interface Child {
  /** Its exit code; 128 + n when signal n ended it. @throws Failure 126 or 127 when it could not be started */
  readonly ended: Promise<number>;
  signal(signal: NodeJS.Signals): void;
}

/** Starts a command with our input, outputs and process group, so that a terminal treats both as one. */
export function startChild(
  command: string,
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): Child {
  const child = spawn(command, args, { stdio: "inherit", env: { ...environment } });
  // Not Promise.withResolvers: the packed CLI runs on Node 20, which lacks it.
  const ended = new Promise<number>((resolve, reject) => {
    child.once("error", (error) => {
      if (child.pid === undefined) reject(notStarted(command, error));
    });
    child.once("exit", (code, signal) => resolve(code ?? (signal === null ? 1 : exitCodeOf(signal))));
  });
  return { ended, signal: (signal) => void child.kill(signal) };
}

/** The exit codes by which a shell distinguishes a missing command from one that cannot be executed. */
function notStarted(command: string, error: Error): Failure {
  const isMissing = "code" in error && error.code === "ENOENT";
  return isMissing
    ? new Failure(127, "not_started", `The command ${command} was not found; check its name.`)
    : new Failure(126, "not_started", `The command ${command} cannot be started; check that it may be run.`);
}
