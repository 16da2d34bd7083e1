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

/** The lock's file, beside the database: one folder, one process. */
export function lockFileOf(databaseFile: string): string {
  return join(dirname(resolve(databaseFile)), "lock.db");
}

/**
 * Databases this process has open. Looking into such a file again would drop its locks: POSIX locks are per process. The
 * connection itself is kept here too: one that nobody can reach any more is closed, and would let others in.
 */
const openHere = new Map<string, Database.Database>();

/** Refuses a second opening within this process, before anything touches the files. */
export function checkNotOpenHere(databaseFile: string): void {
  if (openHere.has(lockFileOf(databaseFile))) throw inUse(databaseFile);
}

/** Keeps other processes out for as long as this one lives; unlike a file with a process id it cannot be left behind. */
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

/** Names the holder of the lock, for people: the lock itself is what SQLite holds. */
function holderFileOf(lockFile: string): string {
  return join(dirname(lockFile), "lock.pid");
}

function nameHolder(file: string): void {
  try {
    writeFileSync(file, `${process.pid} ${hostname()}\n`, { mode: 0o600 });
  } catch {
    // A full disk must not stop a start for this; what an earlier holder left would name the wrong one.
    rmSync(file, { force: true });
  }
}

/** Such as ` (held by pid 4711 on host web1)`; empty where it cannot be told. */
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
