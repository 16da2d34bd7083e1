import Database from "better-sqlite3";
import { statSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { createLogKeeping, createLogRestart } from "../../../src/store/sqlite/commit/wal-checkpoint.ts";
import { temporaryFolder } from "./temporary-store.ts";

const pageBytes = 4_096;
/** Short, because a test waits for it where a view is held. */
const waitMs = 50;

function openPair() {
  const file = join(temporaryFolder(), "jit.db");
  const [writer, reader] = [new Database(file, { timeout: waitMs }), new Database(file)];
  onTestFinished(() => {
    reader.close();
    writer.close();
  });
  writer.pragma("journal_mode = WAL");
  writer.exec("CREATE TABLE t (value BLOB)");
  const restarts = countRestarts(writer);
  const restartLog = createLogRestart(writer);
  const insert = writer.prepare(`INSERT INTO t VALUES (zeroblob(${500 * pageBytes}))`);
  return {
    writer,
    reader,
    /** Some 500 pages. */
    write: (): void => {
      insert.run();
      restartLog();
    },
    /** How often a restart of the log was tried, each of which waits for the views that are held. */
    restarts,
    logMb: () => statSync(`${file}-wal`).size / 1_000_000,
  };
}

function countRestarts(writer: Database.Database): () => number {
  let count = 0;
  const prepare = writer.prepare.bind(writer);
  vi.spyOn(writer, "prepare").mockImplementation((sql: string) => {
    const statement = prepare(sql);
    if (!sql.includes("RESTART")) return statement;
    const get = statement.get.bind(statement);
    statement.get = (...values) => {
      count++;
      return get(...values);
    };
    return statement;
  });
  return () => count;
}

test("however much is written, the log stays short beside somebody who reads between the writes", () => {
  const { reader, write, logMb } = openPair();
  const look = reader.prepare("SELECT count(*) FROM t").pluck();
  for (let count = 1; count <= 60; count++) {
    write();
    expect(look.get()).toBe(count);
  }
  expect(logMb()).toBeGreaterThan(15);
  expect(logMb()).toBeLessThan(20);
});

test("a view that is held for long is waited for once in four thousand pages, and starts over when it is gone", () => {
  const { reader, write, logMb, restarts } = openPair();
  reader.exec("BEGIN");
  reader.prepare("SELECT count(*) FROM t").get();
  for (let count = 0; count < 23; count++) write();
  expect(restarts()).toBe(2);
  reader.exec("COMMIT");
  for (let count = 0; count < 16; count++) write();
  const before = logMb();
  for (let count = 0; count < 7; count++) write();
  expect(logMb()).toBe(before);
});

test("while the thread is there it alone writes the log back, and when it is gone this connection does again", () => {
  const { writer } = openPair();
  const keepLog = createLogKeeping(writer);
  const insert = writer.prepare(`INSERT INTO t VALUES (zeroblob(${1_500 * pageBytes}))`);
  const pagesWrittenBack = (): unknown =>
    writer.prepare<[], { checkpointed: number }>("PRAGMA wal_checkpoint(NOOP)").get()?.checkpointed;
  keepLog("there");
  insert.run();
  expect(pagesWrittenBack()).toBe(0);
  keepLog(new Error("it ended"));
  insert.run();
  expect(pagesWrittenBack()).toBeGreaterThan(1_500);
});

test("a disk in trouble is for the next commit to tell", () => {
  const { writer, write } = openPair();
  for (let count = 0; count < 7; count++) write();
  writer.exec("BEGIN IMMEDIATE");
  // Within a transaction no log can start over.
  expect(() => write()).not.toThrow();
  writer.exec("COMMIT");
  expect(() => write()).not.toThrow();
});
