import { randomBytes } from "node:crypto";
import { closeSync, fsyncSync, openSync, renameSync, rmSync, statfsSync, statSync, writeSync } from "node:fs";
import { dirname, join } from "node:path";
import { realDatabaseFile } from "./database-path.ts";

/** Enough to record the end of some hundred grants. SQLite writes a dozen pages for each. */
export const reserveBytes = 4 * 1024 * 1024;
/** Must be free in addition before the reserve is created again, so that it is not released again at once. */
const freeBesidesBytes = 1024 * 1024;
const pieceBytes = 256 * 1024;

/** Disk space that is reserved for recording that access ends. */
export interface DiskReserve {
  /** Whether the reserve was released or could not be created. */
  readonly isMissing: () => boolean;
  /** Frees the space. */
  readonly release: () => void;
  /** Creates the reserve if it does not exist and the disk has room. */
  readonly keep: () => void;
}

/**
 * A file of random bytes beside the database. A file system may store zeros without using any space.
 *
 * @param freeBytes free space on the disk of a folder. Absent: what the system reports.
 */
export function createDiskReserve(databaseFile: string, freeBytes = freeBytesOf): DiskReserve {
  const file = reserveFileOf(realDatabaseFile(databaseFile));
  const folder = dirname(file);
  let isMissing = false;
  const exists = (): boolean => statSync(file, { throwIfNoEntry: false })?.size === reserveBytes;
  const hasRoom = (): boolean => freeBytes(folder) >= reserveBytes + freeBesidesBytes;
  return {
    isMissing: () => isMissing,
    release: () => {
      isMissing = true;
      rmSync(file, { force: true });
    },
    keep: () => {
      try {
        isMissing = !exists() && !(hasRoom() && create(file));
      } catch {
        // The folder cannot be read, so nothing can be reserved in it.
        isMissing = true;
      }
    },
  };
}

/** @param databaseFile its real path */
export function reserveFileOf(databaseFile: string): string {
  return join(dirname(databaseFile), "reserve");
}

function freeBytesOf(folder: string): number {
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize;
}

/**
 * Writes the file under another name first, and renames it when it is complete. Returns false when there is no room
 * after all, for example because a quota is used up.
 */
function create(file: string): boolean {
  const fresh = `${file}.new`;
  try {
    const descriptor = openSync(fresh, "w", 0o600);
    try {
      for (let written = 0; written < reserveBytes; written += pieceBytes) {
        writeSync(descriptor, randomBytes(pieceBytes));
      }
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    renameSync(fresh, file);
    return true;
  } catch {
    rmSync(fresh, { force: true });
    return false;
  }
}
