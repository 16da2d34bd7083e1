import { readFileSync } from "node:fs";
import { buffer } from "node:stream/consumers";
import { decodeText } from "../../core/values/decode-text.ts";
import { misuse } from "./failure.ts";

/** Reads a text file. `what` names it in the sentence. @throws Failure that says why it cannot be read */
export function readTextFile(file: string, what = `The file ${file}`): string {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(file);
  } catch (error) {
    throw misuse(`${what} cannot be read: ${whyUnreadable(error)}.`);
  }
  return textFrom(bytes, what);
}

/** Reads standard input. @throws Failure when it is no text */
export async function readStandardInput(): Promise<string> {
  return textFrom(await buffer(process.stdin), "Standard input");
}

function textFrom(bytes: Uint8Array, what: string): string {
  const decoded = decodeText(bytes);
  if ("problem" in decoded) throw misuse(`${what} ${decoded.problem}.`);
  return decoded.text;
}

/** Why a file cannot be read, and what to do. */
export function whyUnreadable(error: unknown): string {
  const code = error instanceof Error && "code" in error ? String(error.code) : "unknown";
  if (code === "ENOENT" || code === "ENOTDIR") return "it is not there; check its name";
  if (code === "EISDIR") return "it is a folder; name a file in it";
  if (code === "EACCES" || code === "EPERM") return "you may not read it; check its owner and mode";
  return `${code}; name another file`;
}
