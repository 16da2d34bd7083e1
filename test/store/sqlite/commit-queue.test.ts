import Database from "better-sqlite3";
import { setImmediate as nextTurn } from "node:timers/promises";
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

/** A queue over a writer that writes nothing. The first batches end with these outcomes or errors, later ones succeed. */
function openQueue(...ends: readonly (readonly StepOutcome[] | Error)[]) {
  const order: string[] = [];
  const batches: (readonly Step[])[] = [];
  const onCommitted = vi.fn<(committed: readonly Step[], refused: readonly Step[]) => void>(
    () => void order.push("committed"),
  );
  const onFatal = vi.fn<(error: Error) => void>();
  const queue = createCommitQueue({
    writeBatch: (steps) => {
      const end = ends[batches.length] ?? steps.map(() => ok);
      batches.push(steps);
      order.push("written");
      if (end instanceof Error) throw end;
      return end;
    },
    onCommitted,
    onFatal,
  });
  const commit = (count: number) =>
    Array.from({ length: count }, async () => queue.commit(step()).finally(() => order.push("answered")));
  return {
    queue,
    commit,
    order,
    batches,
    sizes: () => batches.map(({ length }) => length),
    onCommitted,
    onFatal,
  };
}

test("steps of one tick share a batch of at most 128, and later steps get their own", async () => {
  const { commit, sizes } = openQueue();
  const first = commit(200);
  expect(sizes()).toEqual([]);
  await nextTurn();
  expect(sizes()).toEqual([128]);
  await Promise.all(first);
  await Promise.all(commit(1));
  expect(sizes()).toEqual([128, 72, 1]);
});

test("a batch is written, then reported as committed, and only then are its callers answered", async () => {
  const { commit, order } = openQueue();
  await Promise.all(commit(2));
  expect(order).toEqual(["written", "committed", "answered", "answered"]);
});

test("each caller gets the outcome of its own step, and only written steps are reported as committed", async () => {
  const thrown = new Error("a bug");
  const conflict = { conflict: "version", what: "request x" } as const;
  const { queue, onCommitted } = openQueue([ok, { result: conflict }, { thrown }, ok]);
  const steps = ["a", "b", "c", "d"].map(step);
  const results = await Promise.allSettled(steps.map((one) => queue.commit(one)));
  expect(results).toEqual([
    { status: "fulfilled", value: { ok: true } },
    { status: "fulfilled", value: conflict },
    { status: "rejected", reason: thrown },
    { status: "fulfilled", value: { ok: true } },
  ]);
  expect(onCommitted.mock.calls).toEqual([
    [
      [steps[0], steps[3]],
      [steps[1], steps[2]],
    ],
  ]);
});

test("a step that meets a lock is retried for 400 ms, together with the steps that came after it", async () => {
  const { queue, batches, onFatal } = openQueue(busy, busy, busy);
  const now = vi.spyOn(performance, "now").mockReturnValue(1_000);
  onTestFinished(() => now.mockRestore());
  const [old, young] = [step("old"), step("young")];
  const first = queue.commit(old);
  await nextTurn();
  now.mockReturnValue(1_399);
  const second = queue.commit(young);
  while (batches.length < 2) await nextTurn();
  now.mockReturnValue(1_400);
  await expect(first).rejects.toMatchObject({ code: "store_unavailable", retryable: true });
  expect(await second).toEqual({ ok: true });
  expect(batches).toEqual([[old], [old, young], [old, young], [young]]);
  expect(onFatal).not.toHaveBeenCalled();
});

test("a batch that does not fit on the disk is written step by step, in its order", async () => {
  const { queue, batches } = openQueue(full, [ok], full);
  const steps = ["a", "b", "c"].map(step);
  const later = step("later");
  const first = steps.map((one) => queue.commit(one));
  await nextTurn();
  const last = queue.commit(later);
  const results = await Promise.allSettled([...first, last]);
  expect(results.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled", "fulfilled"]);
  expect(batches).toEqual([steps, ...steps.map((one) => [one]), [later]]);
});

test.each([
  ["locked", busy, [128, 128, 2]],
  ["full", full, [128, ...Array.from({ length: 128 }, () => 1), 2]],
])(
  "a batch that found the disk %s is written before the steps that waited behind it",
  async (_, fault, sizes) => {
    const { queue, batches } = openQueue(fault);
    const steps = Array.from({ length: 130 }, (__, index) => step(`${index}`));
    await Promise.all(steps.map((one) => queue.commit(one)));
    expect(batches.map(({ length }) => length)).toEqual(sizes);
    expect(batches.slice(1).flat()).toEqual(steps);
  },
);

test("a failed batch is reported as nothing, and its callers get the error", async () => {
  const { commit, onCommitted, onFatal } = openQueue(
    new Database.SqliteError("disk I/O error", "SQLITE_IOERR_WRITE"),
  );
  for (const one of await Promise.allSettled(commit(2))) {
    expect(one).toMatchObject({ status: "rejected", reason: { code: "store_unavailable" } });
  }
  expect([onCommitted.mock.calls, onFatal.mock.calls]).toEqual([[], []]);
  await Promise.all(commit(1));
});

test("an unknown outcome is reported once, and nothing is written after it", async () => {
  const { queue, commit, sizes, onFatal } = openQueue(unknown);
  const all = await Promise.allSettled(commit(130));
  const codes = all.map((one) => (one.status === "rejected" ? one.reason.code : "written"));
  expect(codes.slice(0, 128).every((code) => code === "outcome_unknown")).toBe(true);
  expect(codes.slice(128)).toEqual(["store_unavailable", "store_unavailable"]);
  expect(onFatal.mock.calls).toEqual([[unknown]]);
  await expect(queue.commit(step())).rejects.toBeInstanceOf(StoreUnavailable);
  queue.close();
  expect(sizes()).toEqual([128]);
});

test("closing accepts no further steps and writes those that wait", async () => {
  const { queue, commit, sizes } = openQueue();
  const all = commit(130);
  queue.close();
  expect(sizes()).toEqual([128, 2]);
  await expect(queue.commit(step())).rejects.toThrow("closed");
  await Promise.all(all);
  await nextTurn();
  expect(sizes()).toEqual([128, 2]);
});
