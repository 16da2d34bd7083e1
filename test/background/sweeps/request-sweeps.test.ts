import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { makeId } from "../../../src/core/values/ids.ts";
import { hourMs } from "../../../src/core/values/time.ts";
import {
  createExpirySweep,
  createRequestSweep,
  sweepBatchMax,
} from "../../../src/background/sweeps/request-sweeps.ts";
import { approvalPolicy, autoPolicy, stageBy } from "../../core/support/policies.ts";
import { unwrap, openServiceHarness, type ServiceHarness } from "../../service/support/service-harness.ts";

let harness: ServiceHarness;
beforeEach(async () => {
  harness = await openServiceHarness();
});
afterEach(async () => {
  await harness.close();
});
const never = new AbortController().signal;

test("everything that is due is handled, batch by batch, and nothing else", async () => {
  await harness.configure([autoPolicy("auto")], {
    limits: { pendingPerIdentity: 500, activePerIdentity: 500 },
  });
  const count = sweepBatchMax + 20;
  await Promise.all(
    Array.from({ length: count }, (_, n) => harness.ask("dev", { scopes: [`read:a:${n}`], duration: "1h" })),
  );
  unwrap(await harness.ask("dev", { scopes: ["read:longer:1"], duration: "3h" }));
  harness.clock.pass(hourMs);
  await createExpirySweep(harness.store, harness.services.grants, harness.clock).run(never);
  expect((await harness.audit()).filter((entry) => entry.action === "grant.expired")).toHaveLength(count);
  expect(await harness.store.dueGrants(harness.clock.now(), 10)).toEqual([]);
});

test("two concurrent sweeps record each change once", async () => {
  await harness.configure([approvalPolicy("p", { windowMs: hourMs, stages: [stageBy("group:dba")] })]);
  unwrap(await harness.ask("dev"));
  harness.clock.pass(hourMs);
  const sweep = createRequestSweep(harness.store, harness.services.grants, harness.clock);
  await Promise.all([sweep.run(never), sweep.run(never)]);
  expect((await harness.audit()).filter((entry) => entry.action === "request.timed_out")).toHaveLength(1);
});

test("a large sweep yields to the event loop", async () => {
  const ids = Array.from({ length: sweepBatchMax }, (_, n) => makeId("request", String(n)));
  const due = [ids, []];
  const store = { ...harness.store, dueGrants: async () => due.shift() ?? [] };
  const ticks: number[] = [];
  let currentTick = 0;
  let isOver = false;
  const count = (): void => {
    currentTick++;
    if (!isOver) setImmediate(count);
  };
  setImmediate(count);
  const tick = async (): Promise<boolean> => {
    ticks.push(currentTick);
    return true;
  };
  await createExpirySweep(store, { tick }, harness.clock).run(never);
  isOver = true;
  expect(ticks).toHaveLength(sweepBatchMax);
  for (const tickNumber of new Set(ticks))
    expect(ticks.filter((other) => other === tickNumber).length).toBeLessThanOrEqual(10);
});

test("a failed decision fails the sweep, and the rest of the batch is still decided", async () => {
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
