import { closeSync, openSync, readSync, statSync } from "node:fs";
import { StoreOpenError } from "../../shared/store-open-error.ts";

/** Marks the file as a database of this program: `jit1` in ASCII. */
export const applicationId = 0x6a697431;

const magic = "SQLite format 3\0";
const headerLength = 108;

/**
 * Tells what the file is from its first bytes, because opening it with SQLite could already write files beside it.
 * @throws StoreOpenError when the file is not a database, or one of another program.
 */
export function inspectDatabase(file: string): "new" | "ours" {
  const header = firstBytes(file);
  if (header.length === 0) return "new";
  if (header.length < headerLength || header.toString("latin1", 0, magic.length) !== magic) {
    throw new StoreOpenError(
      `${file} is not a database; it was left as it is. Name another file in DATABASE_URL.`,
    );
  }
  if (header.readUInt32BE(68) === applicationId) return "ours";
  const hasLog = (statSync(`${file}-wal`, { throwIfNoEntry: false })?.size ?? 0) > 0;
  if (!hasLog && isWithoutTables(header)) return "new";
  throw new StoreOpenError(
    `${file} is the database of another program; it was left as it is. Name another file in DATABASE_URL.`,
  );
}

/** Page 1 is the root of the schema table. A leaf page without cells means that there are no tables. */
function isWithoutTables(header: Buffer): boolean {
  const leafPage = 0x0d;
  return header[100] === leafPage && header.readUInt16BE(103) === 0;
}

function firstBytes(file: string): Buffer {
  if (statSync(file, { throwIfNoEntry: false }) === undefined) return Buffer.alloc(0);
  const descriptor = openSync(file, "r");
  try {
    const header = Buffer.alloc(headerLength);
    return header.subarray(0, readSync(descriptor, header, 0, headerLength, 0));
  } finally {
    closeSync(descriptor);
  }
}
