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

/** How long opening and each read wait for another process's lock. */
const busyTimeoutMs = 150;
/** A commit does not wait inside SQLite, where the event loop would stand still: the commit queue tries again. */
const commitBusyTimeoutMs = 0;

/** `temp_store = 2` sorts in memory, so that no data is written to a temporary file elsewhere. */
const pragmas = [
  ["journal_mode", "wal"],
  ["synchronous", 2],
  ["foreign_keys", 1],
  ["busy_timeout", busyTimeoutMs],
  ["temp_store", 2],
  ["trusted_schema", 0],
] as const;

/** Page cache of the reader, so that checks among a hundred thousand credentials rarely read from disk. */
const readerCacheKib = 96 * 1024;

export interface OpenDatabase {
  /** Writes, and reads what a step needs inside its transaction. */
  readonly writer: Database.Database;
  /** Can only read. */
  readonly reader: Database.Database;
  /** Writes the log back into the file, closes both connections and releases the lock. */
  close(): void;
}

/**
 * Opens the database file for this process alone, and creates or migrates it.
 *
 * @throws StoreOpenError when other users may read the file, it is of another program or version, or in use. The file is
 *   left as it is.
 */
export function openDatabase(file: string, migrationsFolder: string): OpenDatabase {
  let path = resolve(file);
  try {
    // Also the folder of a link to it: a user who may change the link could substitute another database.
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
    throw asOpenError(error, path);
  }
}

function openLocked(path: string, migrationsFolder: string, lock: ProcessLock): OpenDatabase {
  const opened: Database.Database[] = [];
  const closeAll = (): void => {
    for (const client of opened.toReversed()) client.close();
    lock.release();
  };
  try {
    // Inspected again: another process could create the file until we held the lock.
    if (inspectDatabase(path) === "ours") checkVersion(path, migrationsFolder);
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
          // A transaction that is still open has failed to commit. The next start reads what is on disk.
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

/** Opens the file read-only, so that one of another version stays as it is. */
function checkVersion(path: string, migrationsFolder: string): void {
  // A rollback journal remains if the process died while it created the file. Then the file is empty, and reading it
  // would need a repair.
  if (existsSync(`${path}-journal`)) return;
  const client = new Database(path, { readonly: true, fileMustExist: true, timeout: busyTimeoutMs });
  try {
    checkMigrationsKnown(client, path, migrationsFolder);
  } finally {
    client.close();
  }
}

function prepareWriter(writer: Database.Database, migrationsFolder: string): void {
  // Before WAL mode is switched on, so that the mark is in the file itself from its first page on.
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
  // One process per database, so open leases belong to a dead one. Make everything due now, including what was in backoff.
  writer.prepare("UPDATE outbox SET ready_at = created_at WHERE ready_at > created_at").run();
  assertPragmas(writer, [...pragmas, ["application_id", applicationId]]);
  writer.pragma(`busy_timeout = ${commitBusyTimeoutMs}`);
}

function prepareReader(reader: Database.Database): void {
  const settings = [...pragmas.slice(3), ["cache_size", -readerCacheKib], ["query_only", 1]] as const;
  for (const [name, value] of settings) reader.pragma(`${name} = ${value}`);
  assertPragmas(reader, settings);
}

/** SQLite ignores a pragma that it does not accept, so each is read back. */
function assertPragmas(
  client: Database.Database,
  wanted: readonly (readonly [string, string | number])[],
): void {
  for (const [name, value] of wanted) {
    assert(client.pragma(name, { simple: true }) === value, `the database runs with ${name} = ${value}`);
  }
}

/** Turns errors of SQLite and the file system into a sentence for the operator. Bugs stay as they are. */
function asOpenError(error: unknown, path: string): unknown {
  const isSystemError =
    error instanceof Database.SqliteError || (error instanceof Error && "syscall" in error);
  return isSystemError
    ? new StoreOpenError(`${path} cannot be opened: ${error.message}`, { cause: error })
    : error;
}
