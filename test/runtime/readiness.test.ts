import { expect, test } from "vitest";
import { hourMs, plus } from "../../src/core/time.ts";
import { readinessOf } from "../../src/runtime/readiness.ts";
import { at } from "../support/fixtures.ts";

const now = plus(at(0), hourMs);

const store = {
  auditHead: async () => ({ seq: 7, hash: "" }),
  outbox: async () => ({ waiting: 0, oldestDueAt: null }),
  takeBacks: async () => ({ waiting: 3, overdue: 2, oldestOverdueSince: at(0) }),
};
const sweeps = { lastGoodAt: () => now, isOnTime: () => true };

test("overdue take-backs are told with their age, and do not take the service out of service", async () => {
  const checks = await readinessOf(store, { now: () => now }, sweeps, () => ({ loadedAt: at(0) }))();
  expect(checks["targets"]).toEqual({ ok: true, detail: "3 to be taken back, 2 overdue, the oldest for 1h" });
});

test("a refused reload is a check that is not ok and only advises, without what the file says", async () => {
  const clock = { now: () => now };
  const loaded = await readinessOf(store, clock, sweeps, () => ({ loadedAt: at(0) }))();
  expect(loaded["config"]).toEqual({ ok: true, detail: "loaded 1h ago", advisory: true });
  const refused = { at: plus(at(0), hourMs / 2), problems: 1 };
  const checks = await readinessOf(store, clock, sweeps, () => ({ loadedAt: at(0), refused }))();
  expect(checks["config"]).toEqual({
    ok: false,
    detail: "the reload 30m ago was refused with 1 problem; in force is what was loaded 1h ago",
    advisory: true,
  });
});
