import { chmodSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parseToken } from "../../core/values/token-format.ts";
import { decodeText } from "../../core/values/decode-text.ts";
import { accountOf, isPrivateFile } from "../../core/values/private-files.ts";

/** The file for the key of the built-in identity, beside the database. It is used when the operator sets no key. */
export function adminKeyFileOf(databaseFile: string): string {
  return join(dirname(databaseFile), "admin-key");
}

/** The key an earlier start wrote; undefined without a file. A file that looks wrong is a problem, never a new key. */
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
    // Kubernetes opens a volume with an fsGroup to that group at each mount.
    if (found.uid === us.uid && (found.mode & 0o077) !== 0) chmodSync(file, 0o600);
    return keyIn(readFileSync(file), file);
  } catch (error) {
    return { problem: `${file} cannot be read: ${error instanceof Error ? error.message : "unknown"}` };
  }
}

/** Reads the key. A damaged file must not count as a lost key, because the key would be replaced and revoked. */
function keyIn(bytes: Uint8Array, file: string): { readonly key: string } | { readonly problem: string } {
  const decoded = decodeText(bytes);
  if ("problem" in decoded) return { problem: `The file ${file} ${decoded.problem}.` };
  const key = parseToken(decoded.text.trim());
  if (key?.kind === "live") return { key: key.text };
  return { problem: `The file ${file} holds no complete key; restore it, or remove it to get a new key.` };
}

/** Writes the key atomically, readable by the operator's account only. */
export function writeAdminKey(file: string, token: string): void {
  const newFile = `${file}.new`;
  writeFileSync(newFile, `${token}\n`, { mode: 0o600, flush: true });
  renameSync(newFile, file);
}
