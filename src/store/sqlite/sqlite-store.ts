import type Database from "better-sqlite3";
import { availableParallelism } from "node:os";
import { resolve } from "node:path";
import type { Reads, Store } from "../../service/ports/store.ts";
import { createAddressReads } from "./reads/read-addresses.ts";
import { createBatchWriter } from "./commit/batch-writer.ts";
import { createClockReads } from "./reads/read-clock-mark.ts";
import { createDeliveryReads } from "./reads/read-deliveries.ts";
import { createCommitQueue } from "./commit/commit-queue.ts";
import { createCursorReads } from "./reads/read-cursors.ts";
import { realDatabaseFile } from "./file/database-path.ts";
import { drizzle } from "drizzle-orm/better-sqlite3";
import { createRequestList } from "./reads/requests/list-requests.ts";
import { createLogKeeping } from "./commit/wal-checkpoint.ts";
import { openDatabase } from "./file/open-database.ts";
import { createAuditReads } from "./reads/read-audit.ts";
import { createCredentialReads } from "./reads/read-credential.ts";
import { createDirectoryReads } from "./reads/read-directory.ts";
import { createHistoryReads } from "./reads/read-history.ts";
import { createOutboxReads } from "./reads/read-outbox.ts";
import { createRequestReads } from "./reads/requests/read-requests.ts";
import { createRulebookReads } from "./reads/read-rulebook.ts";
import { cacheIdentities } from "./reads/cached-identities.ts";
import { createReadCache } from "../shared/read-cache.ts";
import { createSnapshot, withReadTransaction } from "./reads/read-snapshot.ts";
import { createTargetReads } from "./reads/read-targets.ts";
import { createNameReads } from "./reads/read-unique-names.ts";
import { createWriterThread, type ThreadNews } from "./commit/writer-thread.ts";

export interface SqliteStoreOptions {
  /** The database file. Its folder belongs to this program alone. */
  readonly file: string;
  /** Absent: the ones shipped beside the source. */
  readonly migrationsFolder?: string;
  /**
   * A commit failed in a way that leaves open whether it is on disk. The store takes no more; the process must end
   * and recover from disk.
   */
  readonly onFatal: (error: Error) => void;
  /** A second thread writes many steps at once from now on; or why there is none, and this one writes them all. */
  readonly onThread?: (news: ThreadNews) => void;
  /** Processors this process may use; absent: as the system says. With a single one, a second thread only costs. */
  readonly processors?: number;
  /** Called with the connection that writes, for tests of a full disk. */
  readonly onWriter?: (writer: Database.Database) => void;
  /** Every step is written by that thread, which is there from the start: for tests of it. */
  readonly alwaysApart?: boolean;
}

const shippedMigrations = resolve(import.meta.dirname, "../../../migrations/sqlite");

/**
 * Opens the store in a SQLite file, for this process alone.
 *
 * @throws StartRefused, with what to do about it, when the file is not ours, newer, readable by others or in use.
 */
export async function openSqliteStore(options: SqliteStoreOptions): Promise<Store> {
  const { file, migrationsFolder = shippedMigrations, onFatal, onThread = () => {} } = options;
  const { alwaysApart = false, processors = availableParallelism() } = options;
  const database = openDatabase(file, migrationsFolder);
  options.onWriter?.(database.writer);
  const snapshot = createSnapshot(database.reader);
  const readCache = createReadCache();
  const keepLog = createLogKeeping(database.writer);
  const thread = createWriterThread(realDatabaseFile(file), (news) => {
    keepLog(news);
    onThread(news);
  });
  const queue = createCommitQueue(
    { here: createBatchWriter(database.writer), thread },
    {
      onBegin: snapshot.release,
      onEnded: (written, refused) => {
        snapshot.release();
        readCache.applyCommitted(written);
        readCache.invalidate(refused);
      },
      onFatal,
    },
    alwaysApart ? 1 : processors > 1 ? undefined : Infinity,
  );
  if (alwaysApart) await thread.begin();
  const tables = drizzle(database.reader);
  const people = cacheIdentities(tables, readCache);
  const reads: Reads = {
    ...createRequestReads(tables, readCache),
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
  return {
    ...withReadTransaction(snapshot, reads),
    commit: async (step) => queue.commit(step),
    close: async () => {
      await queue.close();
      await thread.close();
      snapshot.release();
      database.close();
    },
  };
}
