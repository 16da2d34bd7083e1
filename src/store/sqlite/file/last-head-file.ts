import { promises, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { AuditHead } from "../../../service/ports/store.ts";
import { realDatabaseFile } from "./database-path.ts";

/** The content of the file. `unreadable` also means a file with unknown content, and undefined no file. */
export type LastHead = AuditHead | "unreadable" | undefined;

/**
 * Keeps the last known head of the audit log in a file beside the database. Inside the database it would be lost together
 * with the end of the log, or with the whole file.
 */
export interface LastHeadFile {
  readonly read: () => LastHead;
  /** Replaces the content atomically, also if the power fails. */
  readonly write: (head: AuditHead) => Promise<void>;
}

export function lastHeadFile(databaseFile: string): LastHeadFile {
  const file = lastHeadFileOf(realDatabaseFile(databaseFile));
  return { read: () => readHead(file), write: (head) => writeHead(file, head) };
}

/** @param databaseFile its real path */
export function lastHeadFileOf(databaseFile: string): string {
  return join(dirname(databaseFile), "audit-head");
}

function readHead(file: string): LastHead {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    const isAbsent = error instanceof Error && "code" in error && error.code === "ENOENT";
    return isAbsent ? undefined : "unreadable";
  }
  const [, seq, hash] = /^(\d{1,15}) ([0-9a-f]{64})\n$/.exec(text) ?? [];
  return seq === undefined || hash === undefined ? "unreadable" : { seq: Number(seq), hash };
}

async function writeHead(file: string, { seq, hash }: AuditHead): Promise<void> {
  const fresh = `${file}.new`;
  await promises.writeFile(fresh, `${seq} ${hash}\n`, { mode: 0o600, flush: true });
  await promises.rename(fresh, file);
}
