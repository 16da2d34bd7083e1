import { expect, test } from "vitest";
import { hourMs, plus } from "../../src/core/time.ts";
import { readinessOf } from "../../src/runtime/readiness.ts";
import { at } from "../support/fixtures.ts";

const now = plus(at(0), hourMs);

test("overdue take-backs are told with their age, and do not take the service out of service", async () => {
  const store = {
    auditHead: async () => ({ seq: 7, hash: "" }),
    outbox: async () => ({ waiting: 0, oldestDueAt: null }),
    takeBacks: async () => ({ waiting: 3, overdue: 2, oldestOverdueSince: at(0) }),
  };
  const sweeps = { lastGoodAt: () => now, isOnTime: () => true };
  const checks = await readinessOf(store, { now: () => now }, sweeps)();
  expect(checks["targets"]).toEqual({ ok: true, detail: "3 to be taken back, 2 overdue, the oldest for 1h" });
});
