import Database from "better-sqlite3";
import { DiskFull, StoreUnavailable } from "../../../service/ports/store.ts";

/** SQLite's result codes that mean "not now, and nothing was written". */
const knownNo = /^SQLITE_(?:FULL|READONLY|BUSY|LOCKED|CANTOPEN|NOMEM|IOERR|PROTOCOL)/;

/** A commit that may or may not be on disk: whoever waits for it must not be told either. The process must restart. */
export class CommitOutcomeUnknown extends Error {
  override readonly name = "CommitOutcomeUnknown";
  readonly code = "outcome_unknown";
  readonly retryable = false;
}

/** The error as the rest of the house knows it: SQLite's known "no" as {@link StoreUnavailable}, others as they are. */
export function asFault(error: unknown): unknown {
  if (!(error instanceof Database.SqliteError) || !knownNo.test(error.code)) return error;
  const Fault = isFull(error) ? DiskFull : StoreUnavailable;
  return new Fault(`the database said ${error.code}`, { cause: error });
}

export function isBusy(error: unknown): boolean {
  return error instanceof Database.SqliteError && error.code.startsWith("SQLITE_BUSY");
}

export function isFull(error: unknown): boolean {
  return error instanceof Database.SqliteError && error.code === "SQLITE_FULL";
}

/** Whether this failed because the disk is full, at any level of its causes. */
export function isForWantOfSpace(error: unknown): boolean {
  const isNoSpace = error instanceof Error && "code" in error && error.code === "ENOSPC";
  return isFull(error) || isNoSpace || (error instanceof Error && isForWantOfSpace(error.cause));
}

/** Whether a failed COMMIT is known not to have happened. */
export function isRefusedCommit(error: unknown): boolean {
  return error instanceof Database.SqliteError && /^SQLITE_(?:FULL|READONLY|BUSY)/.test(error.code);
}
