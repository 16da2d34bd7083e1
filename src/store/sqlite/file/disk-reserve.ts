import { randomBytes } from "node:crypto";
import { closeSync, fsyncSync, openSync, renameSync, rmSync, statfsSync, statSync, writeSync } from "node:fs";
import { dirname, join } from "node:path";
import { realDatabaseFile } from "./database-path.ts";

/** Room for some hundred endings; SQLite writes a dozen pages for each. */
export const reserveBytes = 4 * 1024 * 1024;
/** What must be free besides before the reserve is made anew, so that it is not given up again at once. */
const freeBesidesBytes = 1024 * 1024;
const pieceBytes = 256 * 1024;

/** Space on the disk that is kept for writing that access ends. */
export interface DiskReserve {
  /** Whether it was given up, or could not be made. */
  readonly isMissing: () => boolean;
  /** Gives the space up. */
  readonly release: () => void;
  /** Makes it where it is not there and the disk has room. */
  readonly keep: () => void;
}

/**
 * A file beside the database. It holds random bytes, because a file system may store zeros without using any space.
 *
 * @param freeBytes how much the disk of this folder has free; absent: as the system says.
 */
export function createDiskReserve(databaseFile: string, freeBytes = freeBytesOf): DiskReserve {
  const file = reserveFileOf(realDatabaseFile(databaseFile));
  const folder = dirname(file);
  let isMissing = false;
  const isThere = (): boolean => statSync(file, { throwIfNoEntry: false })?.size === reserveBytes;
  const hasRoom = (): boolean => freeBytes(folder) >= reserveBytes + freeBesidesBytes;
  return {
    isMissing: () => isMissing,
    release: () => {
      isMissing = true;
      rmSync(file, { force: true });
    },
    keep: () => {
      try {
        isMissing = !isThere() && !(hasRoom() && isMade(file));
      } catch {
        // A folder that cannot even be looked at has no reserve.
        isMissing = true;
      }
    },
  };
}

/** @param databaseFile its real path. */
export function reserveFileOf(databaseFile: string): string {
  return join(dirname(databaseFile), "reserve");
}

function freeBytesOf(folder: string): number {
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize;
}

/** Under another name until it is whole. False: there is no room after all, as where a quota is used up. */
function isMade(file: string): boolean {
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
