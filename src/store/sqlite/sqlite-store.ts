import type Database from "better-sqlite3";
import { resolve } from "node:path";
import type { Store } from "../../service/ports/store.ts";
import { createCommitQueue } from "./commit/commit-queue.ts";
import { drizzle } from "drizzle-orm/better-sqlite3";
import { openDatabase } from "./file/open-database.ts";
import { createReadCache } from "../shared/read-cache.ts";
import { commitBatch } from "./commit/commit-batch.ts";
import { createTransaction } from "./commit/transaction.ts";
import { createReads } from "./reads/create-reads.ts";
import { createStepWriter } from "./writes/apply-step.ts";

export interface SqliteStoreOptions {
  /** The database file. Its folder belongs to this program alone. */
  readonly file: string;
  /** Absent: the migrations shipped beside the source. */
  readonly migrationsFolder?: string;
  /**
   * Called when a commit may or may not be on disk. The store accepts no further steps; the process must end, and the
   * next start reads what is on disk.
   */
  readonly onFatal: (error: Error) => void;
  /** Receives the connection that writes, so that a test can fill the disk. */
  readonly onWriter?: (writer: Database.Database) => void;
}

const shippedMigrations = resolve(import.meta.dirname, "../../../migrations/sqlite");

/**
 * Opens the store in a SQLite file, for this process alone.
 *
 * @throws StoreOpenError, with what to do about it, when the file is not ours, of another version, readable by other
 *   users or in use.
 */
export async function openSqliteStore(options: SqliteStoreOptions): Promise<Store> {
  const { file, migrationsFolder = shippedMigrations, onFatal } = options;
  const database = openDatabase(file, migrationsFolder);
  options.onWriter?.(database.writer);
  const readCache = createReadCache();
  const transaction = createTransaction(database.writer);
  const apply = createStepWriter(database.writer);
  const queue = createCommitQueue({
    writeBatch: (steps) => commitBatch(transaction, steps, apply),
    onCommitted: readCache.evict,
    onFatal,
  });
  return {
    ...createReads(drizzle(database.reader), readCache),
    commit: queue.commit,
    close: async () => {
      queue.close();
      database.close();
    },
  };
}
