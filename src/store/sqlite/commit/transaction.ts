import type Database from "better-sqlite3";

/** The verbs of a write transaction. `isOpen` turns false when SQLite has given the transaction up by itself. */
export interface Transaction {
  begin(): void;
  commit(): void;
  rollback(): void;
  /** Marks where one step begins, to undo it alone. */
  mark(): void;
  undoToMark(): void;
  unmark(): void;
  isOpen(): boolean;
}

/** IMMEDIATE: what is read inside it can no longer change. */
export function transactionOn(client: Database.Database): Transaction {
  const begin = client.prepare("BEGIN IMMEDIATE");
  const commit = client.prepare("COMMIT");
  const rollback = client.prepare("ROLLBACK");
  const mark = client.prepare("SAVEPOINT step");
  const undoToMark = client.prepare("ROLLBACK TO step");
  const unmark = client.prepare("RELEASE step");
  return {
    begin: () => void begin.run(),
    commit: () => void commit.run(),
    rollback: () => void rollback.run(),
    mark: () => void mark.run(),
    undoToMark: () => void undoToMark.run(),
    unmark: () => void unmark.run(),
    isOpen: () => client.inTransaction,
  };
}
