import Database from "better-sqlite3";
import { dirname, join, resolve } from "node:path";
import { makePrivateFile } from "./data-folder.ts";
import { isBusy } from "./faults.ts";
import { StartRefused } from "./start-refused.ts";

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
  return {
    release: () => {
      openHere.delete(file);
      lock.close();
    },
  };
}

function inUse(databaseFile: string): StartRefused {
  return new StartRefused(
    `The data folder ${dirname(resolve(databaseFile))} is in use by another jit-access process; stop it first.`,
  );
}
