import type { AccessCase } from "../../../src/core/access/access-case.ts";
import { claimPreparedWithinMs, provisionWithinMs } from "../../../src/core/access/grant.ts";
import { isRefusal } from "../../../src/core/values/refusals.ts";
import { dayMs, hourMs, plus } from "../../../src/core/values/time.ts";
import { approvalPolicy, mondayNoon, stageBy } from "./policies.ts";
import { applyEvents, breakGlass, play, submitOrThrow, world, type Command } from "./decision-setup.ts";

export const testWorld = world(approvalPolicy("dba", { windowMs: dayMs, stages: [stageBy("group:dba")] }));
const start = mondayNoon;
const at = (ms: number) => plus(start, ms);

const pending = submitOrThrow(testWorld);
const approved = play(testWorld, pending, [[{ do: "approve", by: "ann" }]]);
const active = play(testWorld, approved, [[{ do: "claim", by: "dev" }]]);
const breakGlassTaken = (() => {
  const decision = breakGlass(testWorld);
  if (isRefusal(decision)) throw new Error(decision.detail);
  return applyEvents(undefined, decision);
})();
const breakGlassActive = play(testWorld, breakGlassTaken, [[{ do: "claim", by: "dev" }]]);

const connectors = ["db", "cache"] as const;
const provisionAll = (accessCase: AccessCase) =>
  play(
    testWorld,
    accessCase,
    connectors.map((where) => [{ do: "provisioned", at: where }] as const),
  );
const preparing = play(testWorld, approved, [[{ do: "prepare", by: "dev" }]]);
const prepared = provisionAll(preparing);
const withTargets = play(testWorld, prepared, [[{ do: "claim", by: "dev" }]]);
const failed = play(testWorld, preparing, [[{ do: "failed", at: "db" }]]);
const abandoned = play(testWorld, prepared, [[{ do: "tick" }, at(claimPreparedWithinMs)]]);
const complete = (accessCase: AccessCase) => play(testWorld, accessCase, [[{ do: "complete", by: "dev" }]]);
const clearAll = (accessCase: AccessCase) =>
  play(
    testWorld,
    accessCase,
    connectors.map((where) => [{ do: "cleared", at: where }] as const),
  );

/** Every state of a case, with the time at which it is tested. */
export const states = {
  pending: [pending, at(hourMs)],
  "pending, window passed": [pending, at(dayMs)],
  approved: [approved, at(hourMs)],
  "approved, claim window passed": [approved, at(8 * hourMs)],
  active: [active, at(hourMs)],
  "active, time over": [active, at(4 * hourMs)],
  expired: [play(testWorld, active, [[{ do: "tick" }, at(4 * hourMs)]]), at(5 * hourMs)],
  completed: [play(testWorld, active, [[{ do: "complete", by: "dev" }]]), at(hourMs)],
  revoked: [play(testWorld, active, [[{ do: "revoke", by: "ann" }]]), at(hourMs)],
  "revoked before start": [play(testWorld, approved, [[{ do: "revoke", by: "ann" }]]), at(hourMs)],
  denied: [play(testWorld, pending, [[{ do: "deny", by: "ann" }]]), at(hourMs)],
  cancelled: [play(testWorld, pending, [[{ do: "cancel", by: "dev" }]]), at(hourMs)],
  "timed out undecided": [play(testWorld, pending, [[{ do: "tick" }, at(dayMs)]]), at(dayMs)],
  "timed out unclaimed": [play(testWorld, approved, [[{ do: "tick" }, at(8 * hourMs)]]), at(9 * hourMs)],
  preparing: [preparing, at(60_000)],
  "preparing, targets late": [preparing, at(provisionWithinMs)],
  prepared: [prepared, at(60_000)],
  "prepared, nobody fetched it": [prepared, at(claimPreparedWithinMs)],
  "prepared, claim window passed": [prepared, at(8 * hourMs)],
  abandoned: [abandoned, at(hourMs)],
  failed: [failed, at(1)],
  "active at targets": [withTargets, at(hourMs)],
  "active at targets, time over": [withTargets, at(4 * hourMs)],
  "completed at targets": [complete(withTargets), at(1)],
  "completed at targets, overdue": [complete(withTargets), at(60_000)],
  "completed and settled": [clearAll(complete(withTargets)), at(60_000)],
  "break-glass taken": [breakGlassTaken, at(0)],
  "break-glass active": [breakGlassActive, at(60_000)],
  "break-glass over": [breakGlassActive, at(2 * hourMs)],
} satisfies Record<string, readonly [AccessCase, ReturnType<typeof at>]>;

export const commands = {
  approve: { do: "approve", by: "ann" },
  deny: { do: "deny", by: "ann" },
  cancel: { do: "cancel", by: "dev" },
  claim: { do: "claim", by: "dev" },
  rotate: { do: "rotate", by: "dev" },
  complete: { do: "complete", by: "dev" },
  revoke: { do: "revoke", by: "ann" },
  review: { do: "review", by: "sec", outcome: "unjustified" },
  endAll: { do: "endAll" },
  tick: { do: "tick" },
  prepare: { do: "prepare", by: "dev" },
  attempted: { do: "attempted", at: "db" },
  provisioned: { do: "provisioned", at: "db" },
  failedThere: { do: "failed", at: "db" },
  cleared: { do: "cleared", at: "db" },
  overdue: { do: "overdue", at: "db" },
  drifted: { do: "drifted", at: "db", drift: ["rights added"] },
} satisfies Record<string, Command>;
