import { chmodSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parseToken } from "../../core/values/token-format.ts";
import { decodeText } from "../../core/values/decode-text.ts";
import { accountOf, isPrivateFile } from "../../core/values/private-files.ts";

/** Where the key of the built-in identity is kept when the operator gave none: beside the database. */
export function adminKeyFileOf(databaseFile: string): string {
  return join(dirname(databaseFile), "admin-key");
}

/** What an earlier start wrote; undefined when it is not there. Anything odd is a problem to be told, never a new key. */
export function readAdminKey(
  file: string,
): { readonly key: string | undefined } | { readonly problem: string } {
  try {
    const found = statSync(file, { throwIfNoEntry: false });
    if (found === undefined) return { key: undefined };
    const us = accountOf(process);
    if (found.isFile() && !isPrivateFile(found, statSync(dirname(file)), us)) {
      return { problem: `The file ${file} is open to other users; run: chmod 600 ${file}` };
    }
    // On a volume that was given to us by our group, each mount opens it to that group.
    if (found.uid === us.uid && (found.mode & 0o077) !== 0) chmodSync(file, 0o600);
    return keyIn(readFileSync(file), file);
  } catch (error) {
    return { problem: `${file} cannot be read: ${error instanceof Error ? error.message : "unknown"}` };
  }
}

/** A damaged file must not pass for a lost key: in its place a new key would be made, and the old one ended. */
function keyIn(bytes: Uint8Array, file: string): { readonly key: string } | { readonly problem: string } {
  const decoded = decodeText(bytes);
  if ("problem" in decoded) return { problem: `The file ${file} ${decoded.problem}.` };
  const key = parseToken(decoded.text.trim());
  if (key?.kind === "live") return { key: key.text };
  return { problem: `The file ${file} holds no whole key; restore it, or remove it to have a new key made.` };
}

/** Readable by the operator's account alone, and whole or not there at all. */
export function writeAdminKey(file: string, token: string): void {
  const fresh = `${file}.new`;
  writeFileSync(fresh, `${token}\n`, { mode: 0o600, flush: true });
  renameSync(fresh, file);
}
