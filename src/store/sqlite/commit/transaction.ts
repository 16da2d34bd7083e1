import type Database from "better-sqlite3";

/** The verbs of a write transaction. `isOpen` turns false when SQLite has given the transaction up by itself. */
export interface Transaction {
  begin(): void;
  commit(): void;
  rollback(): void;
  /** Marks where one step begins, to undo it alone. */
  savepoint(): void;
  rollbackToSavepoint(): void;
  releaseSavepoint(): void;
  isOpen(): boolean;
}

/** IMMEDIATE: what is read inside it can no longer change. */
export function transactionOn(client: Database.Database): Transaction {
  const begin = client.prepare("BEGIN IMMEDIATE");
  const commit = client.prepare("COMMIT");
  const rollback = client.prepare("ROLLBACK");
  const savepoint = client.prepare("SAVEPOINT step");
  const rollbackToSavepoint = client.prepare("ROLLBACK TO step");
  const releaseSavepoint = client.prepare("RELEASE step");
  return {
    begin: () => void begin.run(),
    commit: () => void commit.run(),
    rollback: () => void rollback.run(),
    savepoint: () => void savepoint.run(),
    rollbackToSavepoint: () => void rollbackToSavepoint.run(),
    releaseSavepoint: () => void releaseSavepoint.run(),
    isOpen: () => client.inTransaction,
  };
}
