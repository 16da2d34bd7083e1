import { readFileSync } from "node:fs";
import { misuse } from "./failure.ts";

/** The text of a file that somebody named. `what`: as the sentence calls it. @throws Failure that says why not. */
export function readTextFile(file: string, what = `The file ${file}`): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw misuse(`${what} cannot be read: ${whyUnreadable(error)}.`);
  }
}

/** What the system says of a file that cannot be read, in words, and what to do. */
export function whyUnreadable(error: unknown): string {
  const code = error instanceof Error && "code" in error ? String(error.code) : "unknown";
  if (code === "ENOENT" || code === "ENOTDIR") return "it is not there; check its name";
  if (code === "EISDIR") return "it is a folder; name a file in it";
  if (code === "EACCES" || code === "EPERM") return "you may not read it; look at its owner and mode";
  return `${code}; name another file`;
}
