import { spawn } from "node:child_process";
import { resolve as absolute } from "node:path";
import type { SshSettings } from "../../core/values/connector-settings.ts";
import { secondMs } from "../../core/values/time.ts";
import type { ConnectorFault } from "../../service/ports/connector.ts";
import type { SerialRange } from "./krl.ts";
import { explainedFault } from "../shared/explained-fault.ts";

export const hookTimeoutMs = 15 * secondMs;
/** How many hooks of one revocation list run at the same time. */
export const hooksAtOnce = 4;

/** The only environment variables that a hook gets: any other may hold a password of another system. */
const passedVariables = ["PATH", "HOME", "LANG", "LC_ALL", "TZ"] as const;

interface HookQueue {
  running: number;
  readonly waiting: (() => void)[];
  started: number;
  /** The latest start among the successful runs. */
  latestSucceeded: number;
}

/** By revocation list, because a reload creates another connector while hooks of the previous one still run. */
const queues = new Map<string, HookQueue>();

/**
 * Runs the hook that copies the revocation list to the hosts and ends sessions there, without a shell. Exit code 0 is
 * success. A run that was overtaken by a later one may have copied an older list to a host, so it runs again.
 */
export async function runHook(
  { name, hook, krlFile }: SshSettings,
  object: string,
  [first, last]: SerialRange,
  signal: AbortSignal,
): Promise<void> {
  if (hook === undefined) return;
  const args = [object, String(first), String(last), krlFile];
  const queue = queueOf(absolute(krlFile));
  await acquireSlot(queue, name, signal);
  try {
    for (;;) {
      const run = ++queue.started;
      await runOnce(name, hook, args, signal);
      if (queue.latestSucceeded < run) {
        queue.latestSucceeded = run;
        return;
      }
    }
  } finally {
    queue.running--;
    queue.waiting.shift()?.();
  }
}

function queueOf(list: string): HookQueue {
  const known = queues.get(list) ?? { running: 0, waiting: [], started: 0, latestSucceeded: 0 };
  queues.set(list, known);
  return known;
}

/** Waits for a slot, in order of arrival. @throws ConnectorFault when the signal aborts the wait. */
async function acquireSlot(queue: HookQueue, name: string, signal: AbortSignal): Promise<void> {
  while (queue.running >= hooksAtOnce) {
    if (signal.aborted) throw tookTooLong(name);
    await new Promise<void>((resolve) => {
      const wake = (): void => {
        signal.removeEventListener("abort", leave);
        resolve();
      };
      const leave = (): void => {
        queue.waiting.splice(queue.waiting.indexOf(wake), 1);
        resolve();
      };
      queue.waiting.push(wake);
      signal.addEventListener("abort", leave, { once: true });
    });
  }
  if (signal.aborted) {
    queue.waiting.shift()?.();
    throw tookTooLong(name);
  }
  queue.running++;
}

async function runOnce(
  name: string,
  hook: string,
  args: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  // In its own process group, so that processes started by the hook end with it.
  const child = spawn(hook, args, { detached: true, stdio: "ignore", env: hookEnvironment() });
  const end = (): void => {
    endGroup(child.pid);
    reject(tookTooLong(name));
  };
  const timer = setTimeout(end, hookTimeoutMs);
  signal.addEventListener("abort", end, { once: true });
  child.once("error", (error) => reject(failed(name, "code" in error ? String(error.code) : "no code")));
  child.once("exit", (code, killedBy) => {
    if (code === 0) resolve();
    else reject(failed(name, killedBy ?? `exit code ${code}`));
  });
  try {
    await promise;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", end);
  }
}

function hookEnvironment(): Record<string, string> {
  const environment: Record<string, string> = {};
  for (const variable of passedVariables) {
    const value = process.env[variable];
    if (value !== undefined) environment[variable] = value;
  }
  return environment;
}

function endGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch (error) {
    // It has already ended.
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
  }
}

function failed(name: string, how: string): ConnectorFault {
  return explainedFault("refused", name, `its hook failed (${how})`, { retryable: true });
}

function tookTooLong(name: string): ConnectorFault {
  return explainedFault("timeout", name, "its hook, or those before it, took too long", { retryable: true });
}
