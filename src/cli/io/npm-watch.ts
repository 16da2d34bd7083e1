import { readFileSync } from "node:fs";
import type { CliIo } from "./cli-io.ts";

const lookEveryMs = 250;
/** npm, its shell, and the Node that has started a newer one. */
const generationsMax = 4;

/**
 * Calls `tell` once when the npm that started us is gone. It passes on no signal it dies of, so that whoever stops
 * `npx jit` has stopped npm, and perhaps a shell, but not us. Those who start us otherwise may leave us on purpose, as
 * `nohup` does.
 *
 * @returns ends the watch.
 */
export function watchNpm(environment: CliIo["environment"], tell: () => void): () => void {
  if (environment["npm_command"] === undefined) return () => {};
  const before = ancestors();
  const timer = setInterval(() => {
    if (ancestors() === before) return;
    clearInterval(timer);
    tell();
  }, lookEveryMs);
  timer.unref();
  return () => clearInterval(timer);
}

/** Those from our parent up to npm, as one text; our parent alone where the system does not tell more. */
function ancestors(): string {
  const found = [process.ppid];
  for (let pid = process.ppid; found.length <= generationsMax;) {
    const process = look(pid);
    if (process === undefined) break;
    if (process.name.startsWith("npm")) return found.join(" ");
    pid = process.parent;
    found.push(pid);
  }
  return String(found[0]);
}

/** A process as Linux shows it: `PID (NAME) STATE PARENT …`. */
function look(pid: number): { readonly name: string; readonly parent: number } | undefined {
  try {
    const [, name = "", parent] =
      /^\d+ \((.*)\) \S+ (\d+) /s.exec(readFileSync(`/proc/${pid}/stat`, "utf8")) ?? [];
    return { name, parent: Number(parent) };
  } catch {
    return undefined;
  }
}
