import Database from "better-sqlite3";
import { resolve } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { StoreUnavailable, type CommitResult, type Step } from "../../../src/service/ports/store.ts";
import { createStepWriter } from "../../../src/store/sqlite/writes/apply-step.ts";
import { commitBatch } from "../../../src/store/sqlite/commit/commit-batch.ts";
import { createCommitQueue, type CommitQueue } from "../../../src/store/sqlite/commit/commit-queue.ts";
import { CommitOutcomeUnknown } from "../../../src/store/sqlite/tables/sqlite-faults.ts";
import { openDatabase } from "../../../src/store/sqlite/file/open-database.ts";
import { createTransaction, type Transaction } from "../../../src/store/sqlite/commit/transaction.ts";
import { auditFixture, stepFixture, requestFixture, writeStep } from "../../support/fixtures.ts";
import { committed, openStore, takeWriteLock, temporaryFile } from "./temporary-store.ts";

const migrations = resolve(import.meta.dirname, "../../../migrations/sqlite");
const recorded = (text: string) => stepFixture({ audit: [auditFixture({ data: { text } })] });

const failing = (transaction: Transaction): Transaction => ({
  ...transaction,
  commit: () => {
    throw new Database.SqliteError("disk I/O error", "SQLITE_IOERR_FSYNC");
  },
});

/** A commit queue on a new database, with the connection that writes. */
function openQueue(
  change: (transaction: Transaction) => Transaction = (transaction) => transaction,
  afterEach: (writer: Database.Database) => void = () => {},
) {
  const database = openDatabase(temporaryFile(), migrations);
  onTestFinished(() => database.close());
  const { writer } = database;
  const onFatal = vi.fn<(error: Error) => void>();
  const onCommitted = vi.fn<(committed: readonly Step[], refused: readonly Step[]) => void>();
  const write = createStepWriter(writer);
  const apply = (step: Step): CommitResult => {
    const result = write(step);
    afterEach(writer);
    return result;
  };
  const transaction = change(createTransaction(writer));
  const queue: CommitQueue = createCommitQueue({
    writeBatch: (steps) => commitBatch(transaction, steps, apply),
    onCommitted,
    onFatal,
  });
  const records = (): unknown => database.reader.prepare("SELECT count(*) FROM audit_events").pluck().get();
  return { writer, queue, onCommitted, onFatal, records };
}

test("on a full disk a commit is refused and writes nothing, and works again when there is room", async () => {
  const { writer, queue, records, onFatal } = openQueue();
  await queue.commit(recorded("before"));
  const pages = writer.pragma("page_count", { simple: true });
  writer.pragma(`max_page_count = ${String(pages)}`);
  const big = recorded("x".repeat(400_000));
  await expect(queue.commit(big)).rejects.toBeInstanceOf(StoreUnavailable);
  expect([records(), writer.inTransaction]).toEqual([1, false]);
  writer.pragma("max_page_count = 1000000");
  expect(await queue.commit(big)).toEqual({ ok: true });
  expect([records(), onFatal.mock.calls]).toEqual([2, []]);
});

test("a step that is too big for the disk does not fail the other steps of its batch", async () => {
  const { writer, queue, records } = openQueue();
  writer.pragma(`max_page_count = ${Number(writer.pragma("page_count", { simple: true })) + 20}`);
  const results = await Promise.allSettled(
    ["a", "x".repeat(400_000), "b"].map((text) => queue.commit(recorded(text))),
  );
  expect(results.map((result) => result.status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
  expect(records()).toBe(2);
});

test("when the COMMIT of a batch does not fit on the disk, each step is tried alone", async () => {
  let commits = 0;
  const { queue, records } = openQueue((transaction) => ({
    ...transaction,
    commit: () => {
      commits++;
      if (commits === 1 || commits === 3) throw new Database.SqliteError("disk is full", "SQLITE_FULL");
      transaction.commit();
    },
  }));
  const results = await Promise.allSettled(["a", "b", "c"].map((text) => queue.commit(recorded(text))));
  expect(results.map((result) => result.status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
  expect([records(), commits]).toEqual([2, 4]);
});

test.each([
  [399, "fulfilled"],
  [400, "rejected"],
] as const)("a lock held for %i ms: the steps that waited together are %s", async (ms, status) => {
  const now = vi.spyOn(performance, "now").mockReturnValue(0);
  onTestFinished(() => now.mockRestore());
  const times = [150, 300, ms];
  const { queue, records } = openQueue((transaction) => ({
    ...transaction,
    begin: () => {
      const time = times.shift();
      if (time === undefined) return transaction.begin();
      now.mockReturnValue(time);
      throw new Database.SqliteError("database is locked", "SQLITE_BUSY");
    },
  }));
  const results = await Promise.allSettled(["a", "b", "c"].map((text) => queue.commit(recorded(text))));
  expect(results.map((result) => result.status)).toEqual([status, status, status]);
  expect(records()).toBe(status === "fulfilled" ? 3 : 0);
  await queue.commit(recorded("d"));
});

test("while another process holds the write lock, commits are refused and reads work", async () => {
  const file = temporaryFile();
  const store = await openStore({ file });
  const giveBack = takeWriteLock(file);
  const step = writeStep([{ kind: "request", value: requestFixture("a"), dueAt: null }]);
  await expect(store.commit(step)).rejects.toBeInstanceOf(StoreUnavailable);
  expect(await store.rulebookVersion()).toBe(1);
  giveBack();
  await committed(store, step);
});

test("while another process holds the write lock, the event loop runs between the attempts to commit", async () => {
  const file = temporaryFile();
  const store = await openStore({ file });
  const giveBack = takeWriteLock(file);
  let turns = 0;
  let next = setImmediate(countTurn);
  function countTurn(): void {
    turns++;
    next = setImmediate(countTurn);
  }
  await expect(store.commit(recorded("a"))).rejects.toBeInstanceOf(StoreUnavailable);
  clearImmediate(next);
  expect(turns).toBeGreaterThan(100);
  giveBack();
});

test("a COMMIT that fails on the disk gives every caller an unknown outcome, is reported once, and stops the queue", async () => {
  const { queue, onFatal } = openQueue(failing);
  const results = await Promise.allSettled([queue.commit(recorded("a")), queue.commit(recorded("b"))]);
  for (const result of results)
    expect(result).toMatchObject({ status: "rejected", reason: { code: "outcome_unknown" } });
  expect(onFatal).toHaveBeenCalledOnce();
  expect(onFatal.mock.calls[0]?.[0]).toBeInstanceOf(CommitOutcomeUnknown);
  await expect(queue.commit(recorded("c"))).rejects.toBeInstanceOf(StoreUnavailable);
});

test("steps that wait together share one transaction, of at most 128 steps", async () => {
  let begun = 0;
  const counting = (transaction: Transaction): Transaction => ({
    ...transaction,
    begin: () => {
      begun++;
      transaction.begin();
    },
  });
  const { queue, records } = openQueue(counting);
  await Promise.all(Array.from({ length: 130 }, () => queue.commit(recorded("x"))));
  expect([begun, records()]).toEqual([2, 130]);
});

test("a batch is written without savepoints, and with one for each step when a step cannot be written", async () => {
  const seen: string[] = [];
  const { queue, records } = openQueue((transaction) => ({
    ...transaction,
    begin: () => {
      seen.push("begin");
      transaction.begin();
    },
    savepoint: () => {
      seen.push("savepoint");
      transaction.savepoint();
    },
  }));
  await Promise.all([queue.commit(recorded("a")), queue.commit(recorded("b"))]);
  expect(seen.splice(0)).toEqual(["begin"]);
  const late = stepFixture({ expects: [{ kind: "request", id: "jit_none", version: 7 }] });
  const results = await Promise.all([recorded("c"), late, recorded("d")].map((step) => queue.commit(step)));
  expect(results.map((result) => "ok" in result)).toEqual([true, false, true]);
  expect([seen, records()]).toEqual([["begin", "begin", "savepoint", "savepoint", "savepoint"], 4]);
});

test("only the steps of a transaction that succeeded are reported as committed", async () => {
  let commits = 0;
  const { queue, onCommitted } = openQueue((transaction) => ({
    ...transaction,
    commit: () => {
      if (++commits === 2) throw new Database.SqliteError("disk is full", "SQLITE_FULL");
      transaction.commit();
    },
  }));
  const [one, other] = [recorded("a"), recorded("b")];
  const late = stepFixture({ expects: [{ kind: "request", id: "jit_none", version: 7 }] });
  await Promise.all([queue.commit(one), queue.commit(late)]);
  await expect(queue.commit(other)).rejects.toBeInstanceOf(StoreUnavailable);
  expect(onCommitted.mock.calls).toEqual([[[one], [late]]]);
});

test("no caller is told that its step is written when SQLite ended the transaction silently", async () => {
  const { queue, onFatal, records } = openQueue(undefined, (writer) => writer.exec("ROLLBACK"));
  await expect(queue.commit(recorded("a"))).rejects.toMatchObject({ code: "outcome_unknown" });
  expect(onFatal).toHaveBeenCalledOnce();
  expect(records()).toBe(0);
});
