import Database from "better-sqlite3";
import { statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setImmediate as nextTurn, setTimeout as pause } from "node:timers/promises";
import { expect, onTestFinished, test, vi } from "vitest";
import { Bug } from "../../../src/core/values/assert.ts";
import { StoreUnavailable, type Step } from "../../../src/service/ports/store.ts";
import { createBatchWriter } from "../../../src/store/sqlite/commit/batch-writer.ts";
import { createCommitQueue } from "../../../src/store/sqlite/commit/commit-queue.ts";
import { CommitOutcomeUnknown } from "../../../src/store/sqlite/tables/sqlite-faults.ts";
import { openDatabase } from "../../../src/store/sqlite/file/open-database.ts";
import { answering, hearFault, type Word } from "../../../src/store/sqlite/commit/worker-protocol.ts";
import { createWriterThread, type ThreadNews } from "../../../src/store/sqlite/commit/writer-thread.ts";
import { at, auditFixture, requestFixture, stepFixture, writing } from "../../support/fixtures.ts";
import { openStore, takeWriteLock, temporaryFile } from "./temporary-store.ts";

const migrations = resolve(import.meta.dirname, "../../../migrations/sqlite");
const recorded = (text: string): Step => stepFixture({ audit: [auditFixture({ data: { text } })] });

/** A thread that lives as the test wants, in place of the one that writes. */
const living = (life: string): URL =>
  new URL(
    `data:text/javascript,${encodeURIComponent(`import { parentPort } from "node:worker_threads"; ${life}`)}`,
  );
const ready = `parentPort.postMessage('{"is":"ready"}');`;

/** A queue on a database of its own, with a thread that lives like this, or writes to this file. */
function openQueue({ life, threadFile }: { readonly life?: URL; readonly threadFile?: string }) {
  const file = temporaryFile();
  const database = openDatabase(file, migrations);
  const onNews = vi.fn<(news: ThreadNews) => void>();
  const onFatal = vi.fn<(error: Error) => void>();
  const thread = createWriterThread(threadFile ?? file, onNews, life);
  const queue = createCommitQueue(
    { here: createBatchWriter(database.writer), thread },
    { onBegin: () => {}, onEnded: () => {}, onFatal },
    1,
  );
  onTestFinished(async () => {
    await thread.close();
    database.close();
  });
  return { queue, thread, onNews, onFatal };
}

test("the event loop goes on while the thread waits for the disk, and who reads sees what was before", async () => {
  const file = temporaryFile();
  const store = await openStore({ file, alwaysApart: true });
  const giveBack = takeWriteLock(file);
  const request = requestFixture("a");
  const commit = store.commit(writing([{ kind: "request", value: request, dueAt: null }]));
  let isCommitted = false;
  void commit.then(() => (isCommitted = true));
  for (let turn = 0; turn < 20; turn++) {
    expect(await store.request(request.id)).toBeUndefined();
    await nextTurn();
  }
  expect(isCommitted).toBe(false);
  giveBack();
  expect(await commit).toEqual({ ok: true });
  expect((await store.request(request.id))?.request.value).toEqual(request);
});

test("while something else holds the write lock many steps are refused", async () => {
  const file = temporaryFile();
  const store = await openStore({ file, alwaysApart: true });
  const giveBack = takeWriteLock(file);
  const refused = Array.from({ length: 20 }, async () => store.commit(recorded("x")));
  for (const one of await Promise.allSettled(refused)) {
    expect(one).toMatchObject({ status: "rejected", reason: { code: "store_unavailable" } });
  }
  giveBack();
  expect(await store.commit(recorded("y"))).toEqual({ ok: true });
});

test("what goes wrong in the thread comes back as what it was, with where and why", async () => {
  const store = await openStore({ alwaysApart: true });
  const belowZero = stepFixture({ counters: [{ key: "pending:id_dev", add: -1, at: at(0) }] });
  const error: unknown = await store.commit(belowZero).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(Bug);
  expect(error).toMatchObject({ name: "Bug", stack: expect.stringContaining("counting") });
  const say = (thrown: unknown): unknown => {
    const word = answering(() => {
      throw thrown;
    })("[]");
    return "fault" in word ? hearFault(word.fault) : word;
  };
  const full = new Database.SqliteError("disk is full", "SQLITE_FULL");
  const cause = say(new StoreUnavailable("not now", { cause: full }));
  expect(cause).toBeInstanceOf(StoreUnavailable);
  expect(cause).toMatchObject({ message: "not now", cause: { code: "SQLITE_FULL" } });
  expect(say(full)).toBeInstanceOf(Database.SqliteError);
  expect(say(new CommitOutcomeUnknown("gone"))).toBeInstanceOf(CommitOutcomeUnknown);
  expect(say(new RangeError("odd"))).toMatchObject({ name: "RangeError", message: "odd" });
  expect(say("odd")).toMatchObject({ message: "odd" });
});

test("when nobody can tell what a batch did, the thread writes no other", () => {
  const written: unknown[] = [];
  const answer = answering((steps) => {
    written.push(steps);
    throw new CommitOutcomeUnknown("gone");
  });
  const failed: Word = expect.objectContaining({
    is: "failed",
    fault: expect.objectContaining({ message: "gone" }),
  });
  expect([answer("[1]"), answer("[2]")]).toEqual([failed, failed]);
  expect(written).toEqual([[1]]);
});

test("a thread that ends with steps in its hands has told nobody that they are written, and the store stops", async () => {
  const life = living(`${ready} parentPort.on("message", () => process.exit(3));`);
  const { queue, onNews, onFatal, thread } = openQueue({ life });
  await thread.begin();
  const both = [queue.commit(recorded("a")), queue.commit(recorded("b"))];
  for (const one of await Promise.allSettled(both)) {
    expect(one).toMatchObject({ status: "rejected", reason: { code: "outcome_unknown" } });
  }
  expect(onFatal).toHaveBeenCalledOnce();
  expect(onNews.mock.calls).toEqual([
    ["there"],
    [expect.objectContaining({ message: expect.stringContaining("3") })],
  ]);
  await expect(queue.commit(recorded("c"))).rejects.toBeInstanceOf(StoreUnavailable);
});

test.each([
  ["cannot open the file", { threadFile: join(tmpdir(), "no-such-folder", "jit.db") }],
  ["dies at once", { life: living("process.exit(1);") }],
  ["dies of what it did not expect", { life: living(`throw new Error("odd");`) }],
  [
    "dies later, with nothing in its hands",
    { life: living(`${ready} setTimeout(() => process.exit(0), 50);`) },
  ],
])("where the thread %s, all steps are written here", async (_, how) => {
  const { queue, thread, onNews, onFatal } = openQueue(how);
  await thread.begin();
  await vi.waitUntil(() => onNews.mock.lastCall?.[0] instanceof Error);
  const all = Array.from({ length: 40 }, async () => queue.commit(recorded("x")));
  expect(await Promise.all(all)).toEqual(Array.from({ length: 40 }, () => ({ ok: true })));
  expect([thread.isThere(), onFatal.mock.calls]).toEqual([false, []]);
});

test("many steps at once begin the thread where there are two processors, not with a single one", async () => {
  const newsWith = async (processors: number) => {
    const onThread = vi.fn<(news: ThreadNews) => void>();
    const store = await openStore({ processors, onThread });
    await Promise.all(Array.from({ length: 40 }, async () => store.commit(recorded("x"))));
    return onThread;
  };
  const single = await newsWith(1);
  const two = await newsWith(2);
  await vi.waitUntil(() => two.mock.calls.length > 0);
  expect([two.mock.calls, single.mock.calls]).toEqual([[["there"]], []]);
});

test("a thread that is closed while it begins is never there", async () => {
  const { thread, onNews } = openQueue({});
  void thread.begin();
  await thread.close();
  expect([thread.isThere(), onNews.mock.calls]).toEqual([false, []]);
});

test("a store that is closed while its thread begins or works has written everything, and leaves nothing open", async () => {
  for (const waitMs of [0, 20, 400]) {
    const file = temporaryFile();
    const store = await openStore({ file });
    const first = Array.from({ length: 40 }, async (_, index) => store.commit(recorded(`a${index}`)));
    await pause(waitMs);
    const second = Array.from({ length: 80 }, async (_, index) => store.commit(recorded(`b${index}`)));
    await store.close();
    for (const result of await Promise.all([...first, ...second])) expect(result).toEqual({ ok: true });
    expect(() => statSync(`${file}-wal`)).toThrow("no such file");
    const again = await openStore({ file });
    expect((await again.auditHead()).seq).toBe(120);
    expect(await again.verifyAudit()).toMatchObject({ ok: true });
  }
});

test("the log starts over while the thread writes and reading never stops", async () => {
  const file = temporaryFile();
  const store = await openStore({ file, alwaysApart: true });
  const over = new AbortController();
  const reading = (async () => {
    while (!over.signal.aborted) {
      await store.auditHead();
      await nextTurn();
    }
  })();
  const text = "x".repeat(30_000);
  for (let batch = 0; batch < 40; batch++) {
    await Promise.all(Array.from({ length: 32 }, async () => store.commit(recorded(text))));
  }
  over.abort();
  await reading;
  expect(statSync(file).size).toBeGreaterThan(25_000_000);
  expect(statSync(`${file}-wal`).size).toBeLessThan(25_000_000);
});

test("the log starts over too while only single steps are written, which never write it back themselves", async () => {
  const file = temporaryFile();
  const there = Promise.withResolvers<unknown>();
  const store = await openStore({ file, processors: 2, onThread: there.resolve });
  await Promise.all(Array.from({ length: 8 }, async () => store.commit(recorded("x"))));
  expect(await there.promise).toBe("there");
  await Promise.all(Array.from({ length: 8 }, async () => store.commit(recorded("x"))));
  const text = "x".repeat(100_000);
  const writtenBack: number[] = [];
  for (let step = 1; step <= 400; step++) {
    const before = statSync(file).size;
    await store.commit(recorded(text));
    if (statSync(file).size > before) writtenBack.push(step);
  }
  expect(writtenBack.length).toBeGreaterThan(0);
  // Every 65th is the thread's.
  expect(writtenBack.filter((step) => step % 65 !== 0)).toEqual([]);
  expect(statSync(`${file}-wal`).size).toBeLessThan(30_000_000);
});
