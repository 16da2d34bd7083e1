import Database from "better-sqlite3";
import { DiskFull, StoreUnavailable } from "../../../service/ports/store.ts";

/** SQLite's result codes that mean that nothing was written, and a later attempt may succeed. */
const nothingWritten = /^SQLITE_(?:FULL|READONLY|BUSY|LOCKED|CANTOPEN|NOMEM|IOERR|PROTOCOL)/;

/** A commit may or may not be on disk, so its caller must not be told either. The process must restart. */
export class CommitOutcomeUnknown extends Error {
  override readonly name = "CommitOutcomeUnknown";
  readonly code = "outcome_unknown";
  readonly retryable = false;
}

/** Turns an SQLite error after which nothing was written into {@link StoreUnavailable}. Other errors stay as they are. */
export function asFault(error: unknown): unknown {
  if (!(error instanceof Database.SqliteError) || !nothingWritten.test(error.code)) return error;
  const Fault = isFull(error) ? DiskFull : StoreUnavailable;
  return new Fault(`the database answered ${error.code}`, { cause: error });
}

export function isBusy(error: unknown): boolean {
  return error instanceof Database.SqliteError && error.code.startsWith("SQLITE_BUSY");
}

export function isFull(error: unknown): boolean {
  return error instanceof Database.SqliteError && error.code === "SQLITE_FULL";
}

/** Whether an error or one of its causes says that the disk is full. */
export function isForWantOfSpace(error: unknown): boolean {
  const isNoSpace = error instanceof Error && "code" in error && error.code === "ENOSPC";
  return isFull(error) || isNoSpace || (error instanceof Error && isForWantOfSpace(error.cause));
}

/** Whether a failed COMMIT is known not to have happened. */
export function isRefusedCommit(error: unknown): boolean {
  return error instanceof Database.SqliteError && /^SQLITE_(?:FULL|READONLY|BUSY)/.test(error.code);
}
