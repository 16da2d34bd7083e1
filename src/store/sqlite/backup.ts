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

/** Why there is no backup, or no restored database, as one sentence for the operator. */
export class BackupError extends Error {
  override readonly name = "BackupError";
}

export interface Backup {
  /** Where it lies. */
  readonly file: string;
  /** Of its audit log: how many records, and the hash of the last. Kept elsewhere, they show a cut tail. */
  readonly events: number;
  readonly head: string;
}

export interface Restored extends Backup {
  /** Where the database that was there before is kept; absent when there was none. */
  readonly replaced?: string;
}

/** Nobody waits for us, so a foreign lock may take its time. */
const busyTimeoutMs = 5_000;
/** Beside a database: its write-ahead log, its rollback journal, and the log's index, which holds nothing of its own. */
const logs = ["-wal", "-journal"] as const;
const index = "-shm";

/**
 * Copies the database into a new file that only we can read, also while a service writes to it, and verifies the copy.
 * The copy is one moment of the database, whole in one file, and never replaces anything.
 * @throws BackupRefused and StartRefused; nothing is left behind, except a copy whose audit log has been tampered with.
 */
export async function backUp(file: string, target: string, migrationsFolder: string): Promise<Backup> {
  const [from, to] = [realDatabaseFile(file), resolve(target)];
  // Under another name part of it may lie in a log of that name.
  checkSoleNames([from]);
  if (!isOurs(from)) throw new BackupError(`There is no database of jit-access at ${from}.`);
  claim(to);
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
 * Puts a backup in the place of the database, which is kept beside it under a name with this stamp. Whatever happens
 * meanwhile, at the database's place lies the old one or the new one, whole.
 * @throws BackupRefused and StartRefused; nothing has changed then.
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
    // Copying takes the mode along.
    chmodSync(fresh, 0o600);
    const verdict = await verdictOn(fresh, from, migrationsFolder);
    if (!verdict.ok) throw new BackupError(`${from} was not restored: ${tampering(verdict)}.`);
    sync(fresh);
    const replaced = putAside(to, `${to}.replaced-${stamp}`);
    renameSync(fresh, to);
    sync(dirname(to));
    const { events, head } = verdict;
    // From here on this is the log that the service is to find.
    await lastHeadFile(to).write({ seq: events, hash: head });
    return { file: to, events, head, ...(replaced !== undefined && { replaced }) };
  } finally {
    removeWithLogs(fresh);
    lock.release();
  }
}

/** Takes the name before there is anything to put there, so that nothing can be overwritten. */
function claim(target: string): void {
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
    // All pages in one go: in pieces, each write of the service would make it begin again.
    await client.backup(to, { progress: () => 0x7fff_ffff });
  } finally {
    client.close();
  }
}

/** Writes what lies in the logs into the file itself, and leaves it without any. */
function makeSingleFile(file: string): void {
  const client = new Database(file, { fileMustExist: true, timeout: busyTimeoutMs });
  try {
    client.pragma("journal_mode = delete");
  } finally {
    client.close();
  }
}

/** Whether the copy is whole, and what its audit log says of itself. `name` is what the operator knows it by. */
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
      throw new BackupError(`${name} is damaged: some of its rows refer to others that are not there.`);
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

/** Refuses what is no whole backup of ours, by what can be told without opening it. */
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
      `${from} is not whole: part of it lies in ${from}${unwritten}; make backups with npm run backup.`,
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
 * Gives the database a second name, with all that was committed to it, and removes the logs it would leave behind: a
 * later database at its place would take them for its own. The first name stays until the new file takes it over. Logs
 * that cannot be written into a file too damaged for it are kept beside the second name, as they are.
 */
function putAside(file: string, kept: string): string | undefined {
  const isThere = existsSync(file);
  // A file that is no database any more is a reason to restore; another program's is a mistake.
  if (isThere && beginsLikeDatabase(file)) inspectDatabase(file);
  const found = logs.filter((log) => existsSync(file + log));
  for (const log of found) {
    copyFileSync(file + log, kept + log, constants.COPYFILE_EXCL);
    sync(kept + log);
  }
  if (isThere && isFolded(file)) for (const log of found) rmSync(kept + log);
  if (isThere) linkSync(file, kept);
  for (const rest of [...logs, index]) rmSync(file + rest, { force: true });
  return isThere ? kept : undefined;
}

/** False when it is too damaged for that. */
function isFolded(file: string): boolean {
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

/** Waits until a file, or the names in a folder, are on disk. */
function sync(path: string): void {
  const descriptor = openSync(path, "r");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
