import Database from "better-sqlite3";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import type { Store } from "../../../src/service/ports/store.ts";
import { openSqliteStore, type SqliteStoreOptions } from "../../../src/store/sqlite/sqlite-store.ts";

export { committed } from "../../support/committed.ts";

/** A folder that is gone after the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "jit-store-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Where a store of this test may keep its database; the folder is made by the store. */
export function temporaryFile(): string {
  return join(temporaryFolder(), "data", "jit.db");
}

function onFatal(error: Error): never {
  throw error;
}

/** A store that is closed after the test, whatever became of it. */
export async function openStore(options: Partial<SqliteStoreOptions> = {}): Promise<Store> {
  const store = await openSqliteStore({ file: options.file ?? temporaryFile(), onFatal, ...options });
  onTestFinished(() => store.close());
  return store;
}

/** Takes the write lock of a database file, as somebody else would; gives it back when called, or after the test. */
export function takeWriteLock(file: string): () => void {
  const other = new Database(file);
  onTestFinished(() => void other.close());
  other.exec("BEGIN IMMEDIATE");
  return () => void other.exec("ROLLBACK");
}
