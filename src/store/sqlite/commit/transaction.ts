import type Database from "better-sqlite3";

/** A write transaction on one connection, with at most one savepoint at a time. */
export interface Transaction {
  begin(): void;
  commit(): void;
  rollback(): void;
  /** Marks where one step begins, so that it can be rolled back alone. */
  savepoint(): void;
  rollbackToSavepoint(): void;
  releaseSavepoint(): void;
  /** Turns false without a call when SQLite ends the transaction itself, for example on a full disk. */
  isOpen(): boolean;
}

/** Begins with IMMEDIATE, so that what a step reads inside the transaction cannot change before the COMMIT. */
export function createTransaction(client: Database.Database): Transaction {
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
