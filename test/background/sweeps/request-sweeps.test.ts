import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { makeId } from "../../../src/core/values/ids.ts";
import { hourMs } from "../../../src/core/values/time.ts";
import {
  createExpirySweep,
  createRequestSweep,
  sweepBatchMax,
} from "../../../src/background/sweeps/request-sweeps.ts";
import { approvalPolicy, autoPolicy, stageBy } from "../../core/support/policies.ts";
import { granted, openServiceHarness, type ServiceHarness } from "../../service/support/service-harness.ts";

let harness: ServiceHarness;
beforeEach(async () => {
  harness = await openServiceHarness();
});
afterEach(async () => {
  await harness.close();
});
const never = new AbortController().signal;

test("everything that is due is written, batch after batch, and nothing that is not", async () => {
  await harness.configure([autoPolicy("auto")], {
    limits: { pendingPerIdentity: 500, activePerIdentity: 500 },
  });
  const count = sweepBatchMax + 20;
  await Promise.all(
    Array.from({ length: count }, (_, n) => harness.ask("dev", { scopes: [`read:a:${n}`], duration: "1h" })),
  );
  granted(await harness.ask("dev", { scopes: ["read:longer:1"], duration: "3h" }));
  harness.clock.pass(hourMs);
  await createExpirySweep(harness.store, harness.services.grants, harness.clock).run(never);
  expect((await harness.audit()).filter((one) => one.action === "grant.expired")).toHaveLength(count);
  expect(await harness.store.dueGrants(harness.clock.now(), 10)).toEqual([]);
});

test("two sweeps at once write each thing once", async () => {
  await harness.configure([approvalPolicy("p", { windowMs: hourMs, stages: [stageBy("group:dba")] })]);
  granted(await harness.ask("dev"));
  harness.clock.pass(hourMs);
  const sweep = createRequestSweep(harness.store, harness.services.grants, harness.clock);
  await Promise.all([sweep.run(never), sweep.run(never)]);
  expect((await harness.audit()).filter((one) => one.action === "request.timed_out")).toHaveLength(1);
});

test("while a sweep decides much at once, others get their turn in between", async () => {
  const ids = Array.from({ length: sweepBatchMax }, (_, n) => makeId("request", String(n)));
  const due = [ids, []];
  const store = { ...harness.store, dueGrants: async () => due.shift() ?? [] };
  const turns: number[] = [];
  let turn = 0;
  let isOver = false;
  const count = (): void => {
    turn++;
    if (!isOver) setImmediate(count);
  };
  setImmediate(count);
  const tick = async (): Promise<boolean> => {
    turns.push(turn);
    return true;
  };
  await createExpirySweep(store, { tick }, harness.clock).run(never);
  isOver = true;
  expect(turns).toHaveLength(sweepBatchMax);
  for (const one of new Set(turns))
    expect(turns.filter((other) => other === one).length).toBeLessThanOrEqual(10);
});

test("what a sweep could not decide is its failure, and the rest of the batch is decided all the same", async () => {
  const ids = Array.from({ length: 30 }, (_, n) => makeId("request", String(n)));
  const store = { ...harness.store, dueGrants: async () => ids };
  const seen: string[] = [];
  const tick = async (id: string): Promise<boolean> => {
    seen.push(id);
    if (id === ids[3]) throw new Error("the store failed");
    return true;
  };
  await expect(createExpirySweep(store, { tick }, harness.clock).run(never)).rejects.toThrow(
    "the store failed",
  );
  await vi.waitFor(() => expect(seen).toEqual(ids));
});
