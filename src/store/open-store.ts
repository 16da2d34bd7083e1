import { join } from "node:path";
import type { Store } from "../service/ports/store.ts";
import { openSqliteStore } from "./sqlite/sqlite-store.ts";

// The rest of the program reaches the store through this file and back-up-store.ts, so that only src/store knows the
// database it uses.

export { createDiskReserve, type DiskReserve } from "./sqlite/file/disk-reserve.ts";
export { lastHeadFile } from "./sqlite/file/last-head-file.ts";
export { isForWantOfSpace } from "./sqlite/tables/sqlite-faults.ts";
export { StoreOpenError } from "./shared/store-open-error.ts";

export interface StoreOptions {
  /** From the settings: where the data is. */
  readonly databaseFile: string;
  /** The folder of the program's own files, which holds the migrations. */
  readonly packageRoot: string;
  /** Called when a commit may or may not be on disk. The process must end; the next start reads what is on disk. */
  readonly onFatal: (error: Error) => void;
}

/** @throws StoreOpenError, with what to do about it, when the database cannot be used. */
export async function openStore({ databaseFile, packageRoot, onFatal }: StoreOptions): Promise<Store> {
  const migrationsFolder = migrationsIn(packageRoot);
  return openSqliteStore({ file: databaseFile, migrationsFolder, onFatal });
}

/** @param packageRoot the folder of the program's own files. */
export function migrationsIn(packageRoot: string): string {
  return join(packageRoot, "migrations/sqlite");
}
