import { setImmediate as nextTurn } from "node:timers/promises";
import Database from "better-sqlite3";
import { expect, onTestFinished, test, vi } from "vitest";
import { StoreUnavailable, type Step } from "../../../src/service/ports/store.ts";
import type { StepOutcome } from "../../../src/store/sqlite/commit/commit-batch.ts";
import { createCommitQueue } from "../../../src/store/sqlite/commit/commit-queue.ts";
import { CommitOutcomeUnknown } from "../../../src/store/sqlite/tables/sqlite-faults.ts";
import { auditFixture, stepFixture } from "../../support/fixtures.ts";

const ok: StepOutcome = { result: { ok: true } };
const full = new Database.SqliteError("disk is full", "SQLITE_FULL");
const busy = new Database.SqliteError("database is locked", "SQLITE_BUSY");
const unknown = new CommitOutcomeUnknown("nobody can tell");
const step = (text = "x"): Step => stepFixture({ audit: [auditFixture({ data: { text } })] });

/** A queue whose writers write nothing: what they are given, and the thread answers when it is told to. */
function openQueue(thread = { isThere: true }) {
  const order: string[] = [];
  const here: (readonly Step[])[] = [];
  const apart: (PromiseWithResolvers<readonly StepOutcome[]> & { readonly steps: readonly Step[] })[] = [];
  const onEnded = vi.fn<(written: readonly Step[], refused: readonly Step[]) => void>(
    () => void order.push("told"),
  );
  const onFatal = vi.fn<(error: Error) => void>();
  const queue = createCommitQueue(
    {
      here: (steps) => {
        here.push(steps);
        return steps.map(() => ok);
      },
      thread: {
        isThere: () => thread.isThere,
        write: async (steps) => {
          order.push("given");
          const batch = { steps, ...Promise.withResolvers<readonly StepOutcome[]>() };
          apart.push(batch);
          return batch.promise;
        },
      },
    },
    { onBegin: () => {}, onEnded, onFatal },
  );
  const commit = (count: number) =>
    Array.from({ length: count }, async () => queue.commit(step()).finally(() => order.push("answered")));
  const write = (index: number): void => apart[index]?.resolve(apart[index].steps.map(() => ok));
  const sizes = () => ({
    here: here.map(({ length }) => length),
    apart: apart.map(({ steps }) => steps.length),
  });
  /** Until the thread has been given so many batches. */
  const given = async (count: number): Promise<void> => {
    while (apart.length < count) await nextTurn();
  };
  return { queue, commit, write, given, sizes, apart, order, onEnded, onFatal, thread };
}

test("few steps are written here, and eight go to the other thread as soon as they are there", async () => {
  const { commit, write, sizes } = openQueue();
  await Promise.all(commit(7));
  expect(sizes()).toEqual({ here: [7], apart: [] });
  const many = commit(8);
  expect(sizes()).toEqual({ here: [7], apart: [8] });
  write(0);
  await Promise.all(many);
});

test("of single steps every 65th goes to the thread once there was work for it, so that it looks after the log", async () => {
  const { commit, write, given, sizes, thread } = openQueue({ isThere: false });
  const alone = async (count: number): Promise<void> => {
    for (let index = 0; index < count; index++) await Promise.all(commit(1));
  };
  await alone(70);
  thread.isThere = true;
  await alone(10);
  expect(sizes().apart).toEqual([]);
  const many = commit(8);
  write(0);
  await Promise.all(many);
  await alone(64);
  expect(sizes().apart).toEqual([8]);
  const one = commit(1);
  await given(2);
  write(1);
  await Promise.all(one);
  await alone(64);
  expect(sizes().apart).toEqual([8, 1]);
});

test("while there is no other thread, all are written here", async () => {
  const { commit, sizes } = openQueue({ isThere: false });
  await Promise.all(commit(200));
  expect(sizes()).toEqual({ here: [128, 72], apart: [] });
});

test("while a batch is under way nothing is written here, and the thread has at most one more in hand", async () => {
  const { commit, write, sizes } = openQueue();
  const all = commit(8);
  expect(sizes().apart).toEqual([8]);
  all.push(...commit(1));
  for (let turn = 0; turn < 10; turn++) await nextTurn();
  expect(sizes()).toEqual({ here: [], apart: [8] });
  all.push(...commit(7));
  expect(sizes().apart).toEqual([8, 8]);
  all.push(...commit(133));
  for (let turn = 0; turn < 10; turn++) await nextTurn();
  expect(sizes()).toEqual({ here: [], apart: [8, 8] });
  write(0);
  await nextTurn();
  expect(sizes().apart).toEqual([8, 8, 128]);
  write(1);
  for (let turn = 0; turn < 10; turn++) await nextTurn();
  // Five that are left are not worth a place behind another batch, and are written here when the thread has ended that.
  expect(sizes()).toEqual({ here: [], apart: [8, 8, 128] });
  write(2);
  await Promise.all(all);
  expect(sizes()).toEqual({ here: [5], apart: [8, 8, 128] });
});

test("what is on disk is told first, then the thread gets more to do, then those who wait are answered", async () => {
  const { commit, write, order } = openQueue();
  const all = commit(24);
  await nextTurn();
  write(0);
  while (order.length < 5) await nextTurn();
  expect(order.slice(0, 5)).toEqual(["given", "given", "told", "given", "answered"]);
  write(1);
  write(2);
  await Promise.all(all);
});

test("each step hears what became of itself, and only what is written is told", async () => {
  const { commit, apart, given, onEnded } = openQueue();
  const all = Promise.allSettled(commit(8));
  await given(1);
  const thrown = new Error("a bug");
  const conflict = { conflict: "version", what: "request x" } as const;
  const outcomes: StepOutcome[] = Array.from({ length: 8 }, () => ok);
  apart[0]?.resolve(outcomes.with(3, { result: conflict }).with(5, { thrown }));
  const results = await all;
  expect(results[3]).toEqual({ status: "fulfilled", value: conflict });
  expect(results[5]).toEqual({ status: "rejected", reason: thrown });
  expect(results[6]).toEqual({ status: "fulfilled", value: { ok: true } });
  expect(onEnded.mock.calls.map((told) => told.map(({ length }) => length))).toEqual([[6, 2]]);
});

test("a batch that finds the file locked is tried for 400 ms, and one that does not fit step by step", async () => {
  const { commit, apart, write, given, sizes, onFatal } = openQueue();
  const now = vi.spyOn(performance, "now").mockReturnValue(1_000);
  onTestFinished(() => now.mockRestore());
  const locked = Promise.allSettled(commit(8));
  for (const [index, time] of [1_150, 1_399, 1_400].entries()) {
    await given(index + 1);
    now.mockReturnValue(time);
    apart[index]?.reject(busy);
  }
  for (const one of await locked) {
    expect(one).toMatchObject({ status: "rejected", reason: { code: "store_unavailable" } });
  }
  const big = commit(8);
  await given(4);
  apart[3]?.reject(full);
  await Promise.all(big);
  expect(sizes()).toEqual({ here: Array.from({ length: 8 }, () => 1), apart: [8, 8, 8, 8] });
  const after = commit(8);
  await given(5);
  write(4);
  await Promise.all(after);
  expect(onFatal).not.toHaveBeenCalled();
});

test("of a batch that does not fit, none is written here while the next one is under way", async () => {
  const { commit, apart, write, given, sizes } = openQueue();
  const all = commit(16);
  apart[0]?.reject(full);
  await given(3);
  expect(sizes()).toEqual({ here: [], apart: [8, 8, 1] });
  write(1);
  write(2);
  await Promise.all(all);
  expect(sizes()).toEqual({ here: Array.from({ length: 7 }, () => 1), apart: [8, 8, 1] });
});

test("when nobody can tell what was written, that is reported once, and nothing is written any more", async () => {
  const { queue, commit, apart, sizes, onFatal } = openQueue();
  const all = Promise.allSettled(commit(21));
  apart[0]?.reject(unknown);
  apart[1]?.reject(unknown);
  const codes = (await all).map((one) => (one.status === "rejected" ? one.reason.code : "written"));
  expect(codes.slice(0, 16).every((code) => code === "outcome_unknown")).toBe(true);
  expect(codes.slice(16)).toEqual(Array.from({ length: 5 }, () => "store_unavailable"));
  expect(onFatal.mock.calls).toEqual([[unknown]]);
  await expect(queue.commit(step())).rejects.toBeInstanceOf(StoreUnavailable);
  expect(sizes()).toEqual({ here: [], apart: [8, 8] });
});

test("closing takes no more, waits for what is under way and writes what is waiting", async () => {
  const { queue, commit, write, sizes } = openQueue();
  const all = commit(13);
  const closed = queue.close();
  await expect(queue.commit(step())).rejects.toThrow("closed");
  expect(sizes()).toEqual({ here: [], apart: [8] });
  write(0);
  await closed;
  expect(sizes()).toEqual({ here: [5], apart: [8] });
  await Promise.all(all);
});
