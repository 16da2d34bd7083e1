import Database from "better-sqlite3";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { dirname, join, resolve } from "node:path";
import { makePrivateFile } from "./data-folder.ts";
import { isBusy } from "../tables/sqlite-faults.ts";
import { StoreOpenError } from "../../shared/store-open-error.ts";

export interface ProcessLock {
  release(): void;
}

/** The lock file is beside the database and has one name for all of them: one process per folder. */
export function lockFileOf(databaseFile: string): string {
  return join(dirname(resolve(databaseFile)), "lock.db");
}

/**
 * Databases open in this process. Opening such a file again would drop our locks, because POSIX locks are per process.
 * The connection is kept reachable, because garbage collection would close it and release the lock.
 */
const openHere = new Map<string, Database.Database>();

/** Refuses a database that this process has open already, before anything touches its files. */
export function checkNotOpenHere(databaseFile: string): void {
  if (openHere.has(lockFileOf(databaseFile))) throw inUse(databaseFile);
}

/** Keeps other processes out while this one lives. Unlike a file with a process id, the lock cannot be left behind. */
export function takeProcessLock(databaseFile: string): ProcessLock {
  const file = lockFileOf(databaseFile);
  makePrivateFile(file);
  const lock = new Database(file, { timeout: 0 });
  try {
    lock.exec("BEGIN EXCLUSIVE");
  } catch (error) {
    lock.close();
    throw isBusy(error) ? inUse(databaseFile) : error;
  }
  openHere.set(file, lock);
  nameHolder(holderFileOf(file));
  return {
    release: () => {
      openHere.delete(file);
      rmSync(holderFileOf(file), { force: true });
      lock.close();
    },
  };
}

/** Names the process that holds the lock, for people. The lock itself is held by SQLite. */
function holderFileOf(lockFile: string): string {
  return join(dirname(lockFile), "lock.pid");
}

function nameHolder(file: string): void {
  try {
    writeFileSync(file, `${process.pid} ${hostname()}\n`, { mode: 0o600 });
  } catch {
    // A full disk must not prevent the start. A name that an earlier holder left would be wrong.
    rmSync(file, { force: true });
  }
}

/** For example ` (held by pid 4711 on host web1)`. Empty if the holder is not known. */
function holderText(file: string): string {
  try {
    const [, pid, host] = /^(\d{1,10}) ([\w.-]{1,255})\n$/.exec(readFileSync(file, "utf8")) ?? [];
    return pid === undefined ? "" : ` (held by pid ${pid} on host ${host})`;
  } catch {
    return "";
  }
}

function inUse(databaseFile: string): StoreOpenError {
  const holder = holderText(holderFileOf(lockFileOf(databaseFile)));
  return new StoreOpenError(
    `The data folder ${dirname(resolve(databaseFile))}${holder} is in use by another jit-access process; stop it first.`,
  );
}
