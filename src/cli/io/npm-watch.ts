import { readFileSync } from "node:fs";
import type { CliIo } from "./cli-io.ts";

const pollMs = 250;
/** npm, its shell, and the Node that started a newer one. */
const generationsMax = 4;

/**
 * Calls `onGone` once the npm that started us has died. npm does not pass on the signal that kills it, so stopping
 * `npx jit` would leave us running. Processes started another way, as by `nohup`, may outlive their parent on purpose.
 *
 * Polling `process.ppid` does not suffice: npm starts us through a shell, which survives npm and stays our parent. The
 * `npm_*` variables have no process id, and standard input may be closed or inherited. Hence the walk through `/proc`.
 *
 * @returns a function that ends the watch
 */
export function watchNpm(environment: CliIo["environment"], onGone: () => void): () => void {
  if (environment["npm_command"] === undefined) return () => {};
  const initial = ancestors();
  const timer = setInterval(() => {
    if (ancestors() === initial) return;
    clearInterval(timer);
    onGone();
  }, pollMs);
  timer.unref();
  return () => clearInterval(timer);
}

/** The process ids from our parent up to npm, as one text; our parent only, where the system has no `/proc`. */
function ancestors(): string {
  const pids = [process.ppid];
  for (let pid = process.ppid; pids.length <= generationsMax;) {
    const ancestor = readProcess(pid);
    if (ancestor === undefined) break;
    if (ancestor.name.startsWith("npm")) return pids.join(" ");
    pid = ancestor.parent;
    pids.push(pid);
  }
  return String(pids[0]);
}

/** Reads a process from Linux's `/proc/PID/stat`: `PID (NAME) STATE PARENT …`. */
function readProcess(pid: number): { readonly name: string; readonly parent: number } | undefined {
  try {
    const [, name = "", parent] =
      /^\d+ \((.*)\) \S+ (\d+) /s.exec(readFileSync(`/proc/${pid}/stat`, "utf8")) ?? [];
    return { name, parent: Number(parent) };
  } catch {
    return undefined;
  }
}
