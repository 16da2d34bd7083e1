import type Database from "better-sqlite3";
import { availableParallelism } from "node:os";
import { resolve } from "node:path";
import type { Reads, Store } from "../service/ports.ts";
import { createAddressReads } from "./addresses.ts";
import { createBatchWriter } from "./batch-writer.ts";
import { createClockReads } from "./clock-mark.ts";
import { createCopyReads } from "./copies.ts";
import { createCommitQueue } from "./commit-queue.ts";
import { createCursorReads } from "./cursors.ts";
import { realDatabaseFile } from "./database-path.ts";
import { drizzle } from "./drizzle.ts";
import { createRequestList } from "./list-requests.ts";
import { createLogKeeping } from "./log-restart.ts";
import { openDatabase } from "./open-database.ts";
import { createAuditReads } from "./read-audit.ts";
import { createCredentialReads } from "./read-credential.ts";
import { createDirectoryReads } from "./read-directory.ts";
import { createHistoryReads } from "./read-history.ts";
import { createOutboxReads } from "./read-outbox.ts";
import { createRequestReads } from "./read-requests.ts";
import { createRulebookReads } from "./read-rulebook.ts";
import { rememberPeople } from "./remembered-people.ts";
import { createSinceChange } from "./since-change.ts";
import { createSnapshot, heldBy } from "./snapshot.ts";
import { createTargetReads } from "./read-targets.ts";
import { createNameReads } from "./unique-names.ts";
import { createWriterThread, type ThreadNews } from "./writer-thread.ts";

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

const shippedMigrations = resolve(import.meta.dirname, "../../migrations");

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
  const sinceChange = createSinceChange();
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
        sinceChange.changed(written);
        sinceChange.doubted(refused);
      },
      onFatal,
    },
    alwaysApart ? 1 : processors > 1 ? undefined : Infinity,
  );
  if (alwaysApart) await thread.begin();
  const tables = drizzle(database.reader);
  const people = rememberPeople(tables, sinceChange);
  const reads: Reads = {
    ...createRequestReads(tables, sinceChange),
    ...createRequestList(tables),
    ...createCredentialReads(tables, people),
    ...createDirectoryReads(tables, people, sinceChange),
    ...createRulebookReads(tables, sinceChange),
    ...createNameReads(tables),
    ...createHistoryReads(tables),
    ...createOutboxReads(tables),
    ...createCopyReads(tables),
    ...createAddressReads(tables),
    ...createTargetReads(tables),
    ...createAuditReads(tables),
    ...createCursorReads(tables),
    ...createClockReads(tables),
  };
  return {
    ...heldBy(snapshot, reads),
    commit: async (step) => queue.commit(step),
    close: async () => {
      await queue.close();
      await thread.close();
      snapshot.release();
      database.close();
    },
  };
}
