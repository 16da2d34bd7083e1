import { promises, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { AuditHead } from "../../../service/ports/store.ts";
import { realDatabaseFile } from "./database-path.ts";

/** What the file says; `unreadable` also of one that is there and says nothing that can be understood. */
export type LastHead = AuditHead | "unreadable" | undefined;

/**
 * The head of the audit log that was seen last, beside the database and not inside: a database that is replaced, or has
 * lost its end, does not take it along.
 */
export interface LastHeadFile {
  /** Undefined: there is none yet. */
  readonly read: () => LastHead;
  /** Whole or not at all, also after a power cut. */
  readonly write: (head: AuditHead) => Promise<void>;
}

export function lastHeadFile(databaseFile: string): LastHeadFile {
  const file = lastHeadFileOf(realDatabaseFile(databaseFile));
  return { read: () => readHead(file), write: (head) => writeHead(file, head) };
}

/** @param databaseFile its real path. */
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
