import { closeSync, constants, fstatSync, openSync, readFileSync, statSync, type BigIntStats } from "node:fs";
import { decodeText } from "../core/values/decode-text.ts";

/** The text of a file, and the state of the file when it was read. */
export interface TextFile {
  readonly text: string;
  readonly state: string;
}

/** Reads a text file. `problem` completes a sentence that begins with the file's name. */
export function readTextFile(file: string): TextFile | { readonly problem: string } {
  let opened: number | undefined;
  try {
    // Non-blocking, because a pipe without a writer would block the process forever.
    opened = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
    const stats = fstatSync(opened, { bigint: true });
    if (!stats.isFile()) return { problem: "is not a file" };
    const decoded = decodeText(readFileSync(opened));
    return "problem" in decoded ? decoded : { text: decoded.text, state: stateOf(stats) };
  } catch (error) {
    return { problem: `cannot be read: ${error instanceof Error ? error.message : "unknown"}` };
  } finally {
    if (opened !== undefined) closeSync(opened);
  }
}

/** Whether the file is still the one that was read, with the same content. */
export function isUnchanged(file: string, { state }: TextFile): boolean {
  try {
    return stateOf(statSync(file, { bigint: true })) === state;
  } catch {
    return false;
  }
}

function stateOf({ dev, ino, size, mtimeNs }: BigIntStats): string {
  return `${dev}:${ino}:${size}:${mtimeNs}`;
}
