import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** Where the key of the built-in identity is kept when the operator gave none: beside the database. */
export function adminKeyFileOf(databaseFile: string): string {
  return join(dirname(databaseFile), "admin-key");
}

/** What an earlier start wrote, if it is there. */
export function readAdminKey(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8").trim();
  } catch {
    return undefined;
  }
}

/** Readable by the operator's account alone, and whole or not there at all. */
export function writeAdminKey(file: string, token: string): void {
  const fresh = `${file}.new`;
  writeFileSync(fresh, `${token}\n`, { mode: 0o600, flush: true });
  renameSync(fresh, file);
}
