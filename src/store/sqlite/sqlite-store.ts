import type Database from "better-sqlite3";
import { resolve } from "node:path";
import type { Reads, Store } from "../../service/ports/store.ts";
import { createAddressReads } from "./reads/read-addresses.ts";
import { createClockReads } from "./reads/read-clock-mark.ts";
import { createDeliveryReads } from "./reads/read-deliveries.ts";
import { createCommitQueue } from "./commit/commit-queue.ts";
import { createCursorReads } from "./reads/read-cursors.ts";
import { drizzle } from "drizzle-orm/better-sqlite3";
import { createRequestList } from "./reads/requests/list-requests.ts";
import { openDatabase } from "./file/open-database.ts";
import { createAuditReads } from "./reads/read-audit.ts";
import { createCredentialReads } from "./reads/read-credential.ts";
import { createDirectoryReads } from "./reads/read-directory.ts";
import { createHistoryReads } from "./reads/read-history.ts";
import { createOutboxReads } from "./reads/read-outbox.ts";
import { createRequestReads } from "./reads/requests/read-requests.ts";
import { createRulebookReads } from "./reads/read-rulebook.ts";
import { cacheIdentities } from "./reads/cached-identities.ts";
import { createReadCache, type ReadCache } from "../shared/read-cache.ts";
import { commitBatch } from "./commit/commit-batch.ts";
import { createTransaction } from "./commit/transaction.ts";
import { createStepWriter } from "./writes/apply-step.ts";
import type { Tables } from "./tables/placeholders.ts";
import { createTargetReads } from "./reads/read-targets.ts";
import { createNameReads } from "./reads/read-unique-names.ts";

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

function createReads(tables: Tables, readCache: ReadCache): Reads {
  const people = cacheIdentities(tables, readCache);
  return {
    ...createRequestReads(tables),
    ...createRequestList(tables),
    ...createCredentialReads(tables, people),
    ...createDirectoryReads(tables, people, readCache),
    ...createRulebookReads(tables, readCache),
    ...createNameReads(tables),
    ...createHistoryReads(tables),
    ...createOutboxReads(tables),
    ...createDeliveryReads(tables),
    ...createAddressReads(tables),
    ...createTargetReads(tables),
    ...createAuditReads(tables),
    ...createCursorReads(tables),
    ...createClockReads(tables),
  };
}
