import { resolve } from "node:path";
import type { Store } from "../service/ports.ts";
import { createAddressReads } from "./addresses.ts";
import { createStepWriter } from "./apply-step.ts";
import { createCopyReads } from "./copies.ts";
import { createCommitQueue } from "./commit-queue.ts";
import { createCursorReads } from "./cursors.ts";
import { drizzle } from "./drizzle.ts";
import { createRequestList } from "./list-requests.ts";
import { openDatabase } from "./open-database.ts";
import { createAuditReads } from "./read-audit.ts";
import { createCredentialReads } from "./read-credential.ts";
import { createDirectoryReads } from "./read-directory.ts";
import { createHistoryReads } from "./read-history.ts";
import { createOutboxReads } from "./read-outbox.ts";
import { createRequestReads } from "./read-requests.ts";
import { createRulebookReads } from "./read-rulebook.ts";
import { createSinceCommit } from "./since-commit.ts";
import { createSnapshot } from "./snapshot.ts";
import { createTargetReads } from "./read-targets.ts";
import { transactionOn } from "./transaction.ts";

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
}

const shippedMigrations = resolve(import.meta.dirname, "../../migrations");

/**
 * Opens the store in a SQLite file, for this process alone.
 *
 * @throws StartRefused, with what to do about it, when the file is not ours, newer, readable by others or in use.
 */
export async function openSqliteStore(options: SqliteStoreOptions): Promise<Store> {
  const { file, migrationsFolder = shippedMigrations, onFatal } = options;
  const database = openDatabase(file, migrationsFolder);
  const sinceCommit = createSinceCommit();
  const snapshot = createSnapshot(database.reader);
  const transaction = transactionOn(database.writer, {
    beforeBegin: snapshot.release,
    afterCommit: sinceCommit.forget,
  });
  const queue = createCommitQueue(transaction, createStepWriter(database.writer), onFatal);
  const tables = drizzle(database.reader);
  return {
    ...createRequestReads(tables),
    ...createRequestList(tables),
    ...createCredentialReads(tables, sinceCommit, snapshot),
    ...createDirectoryReads(tables, sinceCommit),
    ...createRulebookReads(tables),
    ...createHistoryReads(tables),
    ...createOutboxReads(tables),
    ...createCopyReads(tables),
    ...createAddressReads(tables),
    ...createTargetReads(tables),
    ...createAuditReads(tables),
    ...createCursorReads(tables),
    commit: async (step) => queue.commit(step),
    close: async () => {
      queue.close();
      snapshot.release();
      database.close();
    },
  };
}
