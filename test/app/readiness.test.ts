import { expect, test } from "vitest";
import { hourMs, plus } from "../../src/core/values/time.ts";
import { readinessOf, type Guards } from "../../src/app/observability/readiness.ts";
import { at } from "../support/fixtures.ts";

const now = plus(at(0), hourMs);

const store = {
  auditHead: async () => ({ seq: 7, hash: "" }),
  outbox: async () => ({ waiting: 0, oldestDueAt: null }),
  takeBacks: async () => ({ waiting: 3, overdue: 2, oldestOverdueSince: at(0) }),
};
const sweeps = { lastSuccessAt: () => now, isOnTime: () => true };
const clock = { now: () => now, behindMs: () => 0, isBehindSinceStart: () => false };
const guards: Guards = {
  clock,
  auditHead: { state: () => "matches" },
  reserve: { isMissing: () => false },
};
const configuration = () => ({ loadedAt: at(0) });

test("a clock behind since the start fails an advisory check", async () => {
  const late = { ...clock, behindMs: () => hourMs };
  const started = { ...late, isBehindSinceStart: () => true };
  const found = [started, late, clock].map((one) =>
    readinessOf(store, { ...guards, clock: one }, sweeps, configuration)(),
  );
  expect((await Promise.all(found)).map((checks) => checks["clock"])).toEqual([
    { ok: false, detail: "1h behind the last commit: new access is refused", advisory: true },
    { ok: true, detail: "1h behind; time goes on from where it was", advisory: true },
    { ok: true, detail: "in order", advisory: true },
  ]);
});

test("an audit log that lacks the last head seen fails an advisory check", async () => {
  const found = (["matches", "differs", "shorter"] as const).map(async (state) => {
    const lost = { ...guards, auditHead: { state: () => state } };
    return (await readinessOf(store, lost, sweeps, configuration)())["audit"];
  });
  expect(await Promise.all(found)).toEqual([
    { ok: true, detail: "head 7", advisory: true },
    { ok: false, detail: "head 7, other than the last head seen: new access is refused", advisory: true },
    { ok: false, detail: "head 7, shorter than the last head seen: new access is refused", advisory: true },
  ]);
});

test("overdue take-backs are reported with their age, and the service stays ready", async () => {
  const checks = await readinessOf(store, guards, sweeps, configuration)();
  expect(checks["targets"]).toEqual({ ok: true, detail: "3 to be taken back, 2 overdue, the oldest for 1h" });
});

test("a rejected reload fails an advisory check, without quoting the file", async () => {
  const loaded = await readinessOf(store, guards, sweeps, configuration)();
  expect(loaded["config"]).toEqual({ ok: true, detail: "loaded 1h ago", advisory: true });
  const refused = { at: plus(at(0), hourMs / 2), problems: 1 };
  const checks = await readinessOf(store, guards, sweeps, () => ({ loadedAt: at(0), refused }))();
  expect(checks["config"]).toEqual({
    ok: false,
    detail: "the reload 30m ago was refused with 1 problem; in force is what was loaded 1h ago",
    advisory: true,
  });
});
