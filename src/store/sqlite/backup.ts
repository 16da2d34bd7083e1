import Database from "better-sqlite3";
import {
  chmodSync,
  closeSync,
  constants,
  copyFileSync,
  existsSync,
  fsyncSync,
  linkSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import { dirname, resolve } from "node:path";
import type { AuditVerdict } from "../../service/ports/store.ts";
import { verifyChain } from "./reads/verify-audit-chain.ts";
import { checkFileModes, makePrivateFile, secureFolderOf } from "./file/data-folder.ts";
import { checkSoleNames, realDatabaseFile } from "./file/database-path.ts";
import { inspectDatabase } from "./file/database-header.ts";
import { drizzle } from "drizzle-orm/better-sqlite3";
import { lastHeadFile } from "./file/last-head-file.ts";
import { checkMigrationsKnown } from "./file/migrate.ts";
import { checkNotOpenHere, lockFileOf, takeProcessLock } from "./file/process-lock.ts";
import { StoreOpenError } from "../shared/store-open-error.ts";

/** The backup or the restore failed. The message is one sentence for the operator. */
export class BackupError extends Error {
  override readonly name = "BackupError";
}

export interface Backup {
  readonly file: string;
  /** Number of records in the audit log. Kept elsewhere, it shows with `head` whether the end was cut off. */
  readonly events: number;
  /** Hash of the last record. */
  readonly head: string;
}

export interface Restored extends Backup {
  /** Where the previous database is kept, if there was one. */
  readonly replaced?: string;
}

/** How long another process's lock is waited for. Longer than the service waits, because no caller waits for us. */
const busyTimeoutMs = 5_000;
/** Files beside a database: its write-ahead log and its rollback journal. */
const logs = ["-wal", "-journal"] as const;
/** The index of the write-ahead log, which holds no data of its own. */
const index = "-shm";

/**
 * Copies the database into a new file that only this account can read, and verifies the copy. A service may write to the
 * database meanwhile: the copy is a snapshot in one file. An existing file is never replaced.
 *
 * @throws BackupError and StoreOpenError. No file remains, except a copy whose audit log has been tampered with.
 */
export async function backUp(file: string, target: string, migrationsFolder: string): Promise<Backup> {
  const [from, to] = [realDatabaseFile(file), resolve(target)];
  // A second name would have its own write-ahead log, and part of the data could be there.
  checkSoleNames([from]);
  if (!isOurs(from)) throw new BackupError(`There is no database of jit-access at ${from}.`);
  reserveName(to);
  const partial = `${to}.partial`;
  let verdict: AuditVerdict;
  try {
    removeWithLogs(partial);
    makePrivateFile(partial);
    await copyOnline(from, partial, migrationsFolder);
    verdict = await verdictOn(partial, from, migrationsFolder);
    sync(partial);
    renameSync(partial, to);
    sync(dirname(to));
  } catch (error) {
    removeWithLogs(partial);
    rmSync(to, { force: true });
    throw error;
  }
  if (!verdict.ok)
    throw new BackupError(`${to} was written, and ${tampering(verdict)}; keep it as evidence.`);
  return { file: to, events: verdict.events, head: verdict.head };
}

/**
 * Replaces the database by a backup. The old database is kept beside it, under a name with this stamp. Even after a crash
 * the file is either the old database or the new one, and complete.
 *
 * @throws BackupError and StoreOpenError; nothing has changed then.
 */
export async function restore(
  file: string,
  backup: string,
  migrationsFolder: string,
  stamp: string,
): Promise<Restored> {
  const [to, from] = [realDatabaseFile(file), resolve(backup)];
  checkBackup(from, to);
  checkNotOpenHere(to);
  secureFolderOf(to);
  checkFileModes([lockFileOf(to)]);
  checkSoleNames([lockFileOf(to)]);
  const lock = takeProcessLock(to);
  const fresh = `${to}.restoring`;
  try {
    removeWithLogs(fresh);
    makePrivateFile(fresh);
    copyFileSync(from, fresh);
    // The copy has the mode of the backup.
    chmodSync(fresh, 0o600);
    const verdict = await verdictOn(fresh, from, migrationsFolder);
    if (!verdict.ok) throw new BackupError(`${from} was not restored: ${tampering(verdict)}.`);
    sync(fresh);
    const replaced = putAside(to, `${to}.replaced-${stamp}`);
    renameSync(fresh, to);
    sync(dirname(to));
    const { events, head } = verdict;
    // The service compares its audit log with this head, so it must be that of the restored log.
    await lastHeadFile(to).write({ seq: events, hash: head });
    return { file: to, events, head, ...(replaced !== undefined && { replaced }) };
  } finally {
    removeWithLogs(fresh);
    lock.release();
  }
}

/** Creates an empty file under the name of the backup, so that no existing file can be overwritten. */
function reserveName(target: string): void {
  try {
    closeSync(openSync(target, "wx", 0o600));
  } catch (error) {
    if (!(error instanceof Error) || !("code" in error) || error.code !== "EEXIST") throw error;
    throw new BackupError(`${target} exists already and was left as it is; name a new file.`);
  }
}

async function copyOnline(from: string, to: string, migrationsFolder: string): Promise<void> {
  const client = new Database(from, { fileMustExist: true, timeout: busyTimeoutMs });
  try {
    client.pragma("query_only = 1");
    checkMigrationsKnown(client, from, migrationsFolder);
    // All pages at once: between smaller portions, each write of the service would restart the copy.
    await client.backup(to, { progress: () => 0x7fff_ffff });
  } finally {
    client.close();
  }
}

/** Writes the content of the logs into the file itself, and removes them. */
function makeSingleFile(file: string): void {
  const client = new Database(file, { fileMustExist: true, timeout: busyTimeoutMs });
  try {
    client.pragma("journal_mode = delete");
  } finally {
    client.close();
  }
}

/**
 * Checks that the copy is undamaged, and verifies its audit log.
 *
 * @param name names the file in errors, because the operator does not know the copy
 */
async function verdictOn(copy: string, name: string, migrationsFolder: string): Promise<AuditVerdict> {
  let client: Database.Database | undefined;
  try {
    makeSingleFile(copy);
    client = new Database(copy, { readonly: true, fileMustExist: true });
    client.pragma("temp_store = 2");
    client.pragma("trusted_schema = 0");
    const found = String(client.pragma("integrity_check(1)", { simple: true }));
    if (found !== "ok") throw new BackupError(`${name} is damaged: ${firstLine(found)}.`);
    checkMigrationsKnown(client, name, migrationsFolder);
    if (client.prepare("PRAGMA foreign_key_check").get() !== undefined) {
      throw new BackupError(`${name} is damaged: some of its rows refer to rows that do not exist.`);
    }
    return await verifyChain(drizzle(client));
  } catch (error) {
    if (!(error instanceof Database.SqliteError) || !/^SQLITE_(CORRUPT|NOTADB|ERROR)/.test(error.code))
      throw error;
    throw new BackupError(`${name} is damaged: ${firstLine(error.message)}.`, { cause: error });
  } finally {
    client?.close();
  }
}

function tampering({ firstBad, events }: AuditVerdict): string {
  return `record ${firstBad?.seq} of the ${events} in its audit log does not fit (${firstBad?.kind})`;
}

function firstLine(text: string): string {
  return text.split("\n").find((line) => !line.startsWith("***")) ?? "unknown";
}

/** Refuses a file that is not a complete backup, as far as that is known without opening it. */
function checkBackup(from: string, database: string): void {
  const found = statSync(from, { throwIfNoEntry: false });
  if (found === undefined) throw new BackupError(`There is no file ${from}.`);
  const there = statSync(database, { throwIfNoEntry: false });
  if (there !== undefined && there.dev === found.dev && there.ino === found.ino) {
    throw new BackupError(`${from} is the database itself; there is nothing to restore.`);
  }
  if (!found.isFile() || !isOurs(from)) {
    throw new BackupError(`${from} is not a backup of jit-access; nothing was changed.`);
  }
  const unwritten = logs.find((log) => (statSync(from + log, { throwIfNoEntry: false })?.size ?? 0) > 0);
  if (unwritten !== undefined) {
    throw new BackupError(
      `${from} is not complete: part of it is in ${from}${unwritten}; make backups with npm run backup.`,
    );
  }
}

function isOurs(file: string): boolean {
  try {
    return inspectDatabase(file) === "ours";
  } catch (error) {
    if (error instanceof StoreOpenError) return false;
    throw error;
  }
}

/**
 * Gives the database a second name and removes its logs, which SQLite would apply to the database that replaces it. The
 * first name stays until the new file takes it over. What the logs contain is written into the file first; if the file is
 * too damaged for that, the logs are kept beside the second name.
 */
function putAside(file: string, kept: string): string | undefined {
  const isThere = existsSync(file);
  // A destroyed file is a reason to restore. A database of another program is a mistake of the caller.
  if (isThere && beginsLikeDatabase(file)) inspectDatabase(file);
  const found = logs.filter((log) => existsSync(file + log));
  for (const log of found) {
    copyFileSync(file + log, kept + log, constants.COPYFILE_EXCL);
    sync(kept + log);
  }
  if (isThere && foldLogs(file)) for (const log of found) rmSync(kept + log);
  if (isThere) linkSync(file, kept);
  for (const rest of [...logs, index]) rmSync(file + rest, { force: true });
  return isThere ? kept : undefined;
}

/** Writes the logs into the file. Returns false if the file is too damaged for that. */
function foldLogs(file: string): boolean {
  try {
    makeSingleFile(file);
    return true;
  } catch (error) {
    if (error instanceof Database.SqliteError) return false;
    throw error;
  }
}

function beginsLikeDatabase(file: string): boolean {
  const descriptor = openSync(file, "r");
  try {
    const start = Buffer.alloc(15);
    readSync(descriptor, start, 0, start.length, 0);
    return start.toString("latin1") === "SQLite format 3";
  } finally {
    closeSync(descriptor);
  }
}

function removeWithLogs(file: string): void {
  for (const part of ["", ...logs, index]) rmSync(file + part, { force: true });
}

/** Waits until a file, or the entries of a folder, are on disk. */
function sync(path: string): void {
  const descriptor = openSync(path, "r");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
