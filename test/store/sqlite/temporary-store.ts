import Database from "better-sqlite3";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { gunzipSync } from "node:zlib";
import { onTestFinished } from "vitest";
import type { Store } from "../../../src/service/ports/store.ts";
import { openSqliteStore, type SqliteStoreOptions } from "../../../src/store/sqlite/sqlite-store.ts";

export { committed } from "../../support/committed.ts";

/** A folder that is removed after the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "jit-store-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** The path of a database for one test. The store creates the folder. */
export function temporaryFile(): string {
  return join(temporaryFolder(), "data", "jit.db");
}

function onFatal(error: Error): never {
  throw error;
}

/** A store that is closed after the test. */
export async function openStore(options: Partial<SqliteStoreOptions> = {}): Promise<Store> {
  const store = await openSqliteStore({ file: options.file ?? temporaryFile(), onFatal, ...options });
  onTestFinished(() => store.close());
  return store;
}

/** A database that was written before the first release: by commit 0a3b677, with a grant and an open request. */
export function writeUnreleasedDatabase(file: string): void {
  const fixture = resolve(import.meta.dirname, "fixtures/before-first-release.db.gz");
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  writeFileSync(file, gunzipSync(readFileSync(fixture)), { mode: 0o600 });
}

/** Takes the write lock of a database file, as another process would. Call the result to release it before the test ends. */
export function takeWriteLock(file: string): () => void {
  const other = new Database(file);
  onTestFinished(() => void other.close());
  other.exec("BEGIN IMMEDIATE");
  return () => void other.exec("ROLLBACK");
}
