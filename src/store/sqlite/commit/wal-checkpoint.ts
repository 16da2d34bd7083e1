import type Database from "better-sqlite3";
import type { ThreadNews } from "./writer-thread.ts";

/** Pages in SQLite's write-ahead log at which it is to start over; some 16 MB. */
const logPagesMax = 4_000;

/** From so many pages on SQLite by itself writes the log back after each commit: its own default. */
const logPagesByItself = 1_000;

/**
 * Who writes the log back of what this connection writes: the thread while it is there, for that takes long, and meanwhile
 * nobody would be answered; else the connection by itself.
 */
export function createLogKeeping(client: Database.Database): (news: ThreadNews) => void {
  return (news) => writeBackFrom(client, news === "there" ? 0 : logPagesByItself);
}

/** @param pages 0: never. */
function writeBackFrom(client: Database.Database, pages: number): void {
  client.pragma(`wal_autocheckpoint = ${pages}`);
}

/**
 * Has the log of a connection start over now and then, beside somebody who reads all the time. SQLite by itself would
 * write it back after each commit from a thousand pages on, and in vain for as long as an older view is held.
 *
 * @returns to be called between two transactions. It waits for the views of this moment to end, no longer than the
 *   connection's busy timeout.
 */
export function createLogRestart(client: Database.Database): () => void {
  writeBackFrom(client, 0);
  const look = client.prepare<[], { readonly log: number }>("PRAGMA wal_checkpoint(NOOP)");
  const restart = client.prepare<[], { readonly busy: number }>("PRAGMA wal_checkpoint(RESTART)");
  let triedAt = 0;
  const restartWhenLong = (): void => {
    const pages = look.get()?.log ?? 0;
    if (pages < triedAt) triedAt = 0;
    if (pages < triedAt + logPagesMax) return;
    // Somebody may hold a view for long, such as a backup: they must not keep every batch waiting.
    triedAt = pages;
    if (restart.get()?.busy === 0) triedAt = 0;
  };
  return () => {
    try {
      restartWhenLong();
    } catch {
      // What was committed is in the log all the same. Of a disk in trouble the next commit tells.
    }
  };
}
