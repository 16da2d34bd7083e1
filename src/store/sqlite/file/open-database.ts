import Database from "better-sqlite3";
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { assert } from "../../../core/values/assert.ts";
import { emptyRules } from "../../../core/policy/policy.ts";
import { createAuditTriggers } from "./audit-triggers.ts";
import { checkFileModes, makePrivateFile, secureFolderOf } from "./data-folder.ts";
import { checkSoleNames, realDatabaseFile, removeInterruptedRestore } from "./database-path.ts";
import { applicationId, inspectDatabase } from "./database-header.ts";
import { reserveFileOf } from "./disk-reserve.ts";
import { lastHeadFileOf } from "./last-head-file.ts";
import { checkMigrationsKnown, migrateTables } from "./migrate.ts";
import { checkNotOpenHere, lockFileOf, takeProcessLock, type ProcessLock } from "./process-lock.ts";
import { StoreOpenError } from "../../shared/store-open-error.ts";

export { StoreOpenError };

/** How long one try to write may wait for a foreign lock; the event loop stands still meanwhile, so it is short. */
const busyTimeoutMs = 150;

/** Sorting happens in memory, so that nothing of ours comes to lie in a temporary file elsewhere. */
const pragmas = [
  ["journal_mode", "wal"],
  ["synchronous", 2],
  ["foreign_keys", 1],
  ["busy_timeout", busyTimeoutMs],
  ["temp_store", 2],
  ["trusted_schema", 0],
] as const;

/** Memory that reading may fill with pages, so that checks of a hundred thousand credentials find most of theirs. */
const readerCacheKib = 96 * 1024;

export interface OpenDatabase {
  /** Writes, and what a write must read inside its transaction. */
  readonly writer: Database.Database;
  /** Refuses writes. */
  readonly reader: Database.Database;
  /** Writes the log back into the file, closes both and lets the next process in. */
  close(): void;
}

/**
 * Opens the database file for this process alone, making or migrating it. Refuses with {@link StoreOpenError}, and leaves
 * the file as it is, when others may read it, it is not ours, newer than this program, or in use.
 */
export function openDatabase(file: string, migrationsFolder: string): OpenDatabase {
  let path = resolve(file);
  try {
    // Also where a link to it lies: whoever may change the link may put another database in its place.
    secureFolderOf(path);
    path = realDatabaseFile(file);
    checkNotOpenHere(path);
    secureFolderOf(path);
    const beside = [`${path}-wal`, `${path}-shm`, `${path}-journal`, lockFileOf(path)];
    checkFileModes([path, ...beside, lastHeadFileOf(path), reserveFileOf(path)]);
    checkSoleNames(beside);
    inspectDatabase(path);
    const lock = takeProcessLock(path);
    try {
      removeInterruptedRestore(path);
      checkSoleNames([path]);
    } catch (error) {
      lock.release();
      throw error;
    }
    return openLocked(path, migrationsFolder, lock);
  } catch (error) {
    throw asRefusal(error, path);
  }
}

function openLocked(path: string, migrationsFolder: string, lock: ProcessLock): OpenDatabase {
  const opened: Database.Database[] = [];
  const closeAll = (): void => {
    for (const client of opened.toReversed()) client.close();
    lock.release();
  };
  try {
    // Asked again: until the lock was ours, another process could still make the file.
    if (inspectDatabase(path) === "ours") lookInside(path, migrationsFolder);
    makePrivateFile(path);
    const writer = new Database(path, { fileMustExist: true, timeout: busyTimeoutMs });
    opened.push(writer);
    prepareWriter(writer, migrationsFolder);
    const reader = new Database(path, { fileMustExist: true, timeout: busyTimeoutMs });
    opened.push(reader);
    prepareReader(reader);
    return {
      writer,
      reader,
      close: () => {
        if (!writer.open) return;
        try {
          // Still in one: its commit failed, and what is on disk is for the next start to find out.
          if (!writer.inTransaction) writer.pragma("wal_checkpoint(TRUNCATE)");
        } finally {
          closeAll();
        }
      },
    };
  } catch (error) {
    closeAll();
    throw error;
  }
}

/** Read-only, so that a newer file stays as it is. */
function lookInside(path: string, migrationsFolder: string): void {
  // A journal beside it: it was being made when the process died, so it is empty, and reading it would need a repair.
  if (existsSync(`${path}-journal`)) return;
  const client = new Database(path, { readonly: true, fileMustExist: true, timeout: busyTimeoutMs });
  try {
    checkMigrationsKnown(client, path, migrationsFolder);
  } finally {
    client.close();
  }
}

function prepareWriter(writer: Database.Database, migrationsFolder: string): void {
  // Before the log is switched on, so that the mark is in the file itself from its first page on.
  if (writer.pragma("application_id", { simple: true }) !== applicationId) {
    writer.pragma(`application_id = ${applicationId}`);
  }
  for (const [name, value] of pragmas) writer.pragma(`${name} = ${value}`);
  migrateTables(writer, migrationsFolder);
  writer.pragma("foreign_keys = ON");
  createAuditTriggers(writer);
  writer
    .prepare("INSERT OR IGNORE INTO rulebook (id, version, rules, lockdown) VALUES ('rulebook', 1, ?, 0)")
    .run(JSON.stringify(emptyRules));
  // Nobody else is at it: leases are a dead process's, and what failed before is worth a try now.
  writer.prepare("UPDATE outbox SET ready_at = created_at WHERE ready_at > created_at").run();
  assertPragmas(writer, [...pragmas, ["application_id", applicationId]]);
}

function prepareReader(reader: Database.Database): void {
  const settings = [...pragmas.slice(3), ["cache_size", -readerCacheKib], ["query_only", 1]] as const;
  for (const [name, value] of settings) reader.pragma(`${name} = ${value}`);
  assertPragmas(reader, settings);
}

/** SQLite ignores a pragma it does not like, so each is read back. */
function assertPragmas(
  client: Database.Database,
  wanted: readonly (readonly [string, string | number])[],
): void {
  for (const [name, value] of wanted) {
    assert(client.pragma(name, { simple: true }) === value, `the database runs with ${name} = ${value}`);
  }
}

/** What SQLite or the file system say, for the operator; bugs stay bugs. */
function asRefusal(error: unknown, path: string): unknown {
  const isSystemError =
    error instanceof Database.SqliteError || (error instanceof Error && "syscall" in error);
  return isSystemError
    ? new StoreOpenError(`${path} cannot be opened: ${error.message}`, { cause: error })
    : error;
}
