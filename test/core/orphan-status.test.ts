import { describe, expect, test } from "vitest";
import { systemActor } from "../../src/core/access/access-case.ts";
import { evolveGrant } from "../../src/core/access/evolve-grant.ts";
import { makeId } from "../../src/core/values/ids.ts";
import { claimPreparedWithinMs, type Grant } from "../../src/core/access/grant.ts";
import {
  driftOf,
  shouldRemove,
  orphanGraceMs,
  orphanStatusOf,
  type ListedObject,
} from "../../src/core/access/orphan-status.ts";
import { decideProvisioned } from "../../src/core/decisions/decide-provisioning.ts";
import { targetOf } from "../../src/core/access/grant.ts";
import { assertPresent } from "../../src/core/values/assert.ts";
import { hourMs, plus } from "../../src/core/values/time.ts";
import { mondayNoon } from "./support/policies.ts";
import { states } from "./support/lifecycle-states.ts";
import { startedGrant } from "./support/decision-setup.ts";

const at = (ms: number) => plus(mondayNoon, ms);
const grantIn = (state: keyof typeof states): Grant => assertPresent(states[state][0].grant, state);
const [running] = states["active at targets"];
const live = startedGrant(running);

const listedObject = (grant: Grant, more: Partial<ListedObject> = {}): ListedObject => ({
  object: "jit_db",
  grantId: grant.id,
  notAfter: live.expiresAt,
  drift: [],
  ...more,
});

describe("the status of a listed object", () => {
  const settledAt = at(0);
  const rows = {
    "of a grant that is being prepared": ["preparing", {}, "expected"],
    "of a live grant": ["active at targets", {}, "expected"],
    "of one past its end that no sweep has recorded": ["active at targets, time over", {}, "expected"],
    "of one that ended and is not yet taken back": ["completed at targets", {}, "ending"],
    "of one that failed and is not yet taken back": ["failed", {}, "ending"],
    "of one that is gone according to our records": ["completed and settled", {}, "over"],
    "with another name than its spec, of a live grant": [
      "active at targets",
      { object: "jit_x" },
      "contradictory",
    ],
    "with another name than its spec, of an ended grant": [
      "completed and settled",
      { object: "jit_x" },
      "unexplained",
    ],
    "with a label that cannot be read": ["active at targets", { grantId: null }, "contradictory"],
  } as const;

  test.each(Object.entries(rows))("%s", (_, [state, more, status]) => {
    const grant = grantIn(state);
    expect(orphanStatusOf(listedObject(grant, more), "db", grant, plus(settledAt, 1), at(hourMs))).toBe(
      status,
    );
  });

  test("a confirmation since the listing was started does not count", () => {
    const grant = grantIn("completed and settled");
    expect(orphanStatusOf(listedObject(grant), "db", grant, settledAt, at(hourMs))).toBe("ending");
  });

  test("without a grant, it is unexplained until its own label has passed its end", () => {
    const label = listedObject(live, { notAfter: at(5) });
    expect(orphanStatusOf(label, "db", undefined, at(0), at(4))).toBe("unexplained");
    expect(orphanStatusOf(label, "db", undefined, at(0), at(5))).toBe("expired");
    expect(orphanStatusOf({ ...label, notAfter: null }, "db", undefined, at(0), at(hourMs))).toBe(
      "unexplained",
    );
  });

  test("only objects nobody needs are removed, and unexplained ones after their grace period", () => {
    const isRemoved = (status: Parameters<typeof shouldRemove>[0], afterMs: number) =>
      shouldRemove(status, at(0), at(afterMs));
    expect([isRemoved("over", 0), isRemoved("expired", 0)]).toEqual([true, true]);
    expect([isRemoved("unexplained", orphanGraceMs - 1), isRemoved("unexplained", orphanGraceMs)]).toEqual([
      false,
      true,
    ]);
    for (const kept of ["expected", "ending", "contradictory"] as const)
      expect(isRemoved(kept, 30 * hourMs)).toBe(false);
  });
});

describe("drift", () => {
  const target = assertPresent(targetOf(live, "db"), "its target");
  const later = plus(target.since, 1);

  test("is unknown if we changed the object after the listing was started", () => {
    expect(driftOf(target, undefined, target.since)).toBeUndefined();
    expect(driftOf({ ...target, state: "PROVISIONING" }, undefined, later)).toBeUndefined();
  });

  test("is what the target reports, a label that outlasts the grant, or a missing object", () => {
    expect(driftOf(target, listedObject(live), later)).toEqual([]);
    expect(driftOf(target, listedObject(live, { drift: ["more rights"] }), later)).toEqual(["more rights"]);
    expect(driftOf(target, listedObject(live, { notAfter: plus(live.expiresAt, 1) }), later)).toHaveLength(1);
    expect(driftOf(target, undefined, later)).toHaveLength(1);
  });
});

describe("the latest end of a target", () => {
  test("includes the time to claim before the claim, and is the end of access after it", () => {
    const before = assertPresent(targetOf(grantIn("prepared"), "db"), "its target");
    expect(before.spec.notAfter).toBe(at(claimPreparedWithinMs + 4 * hourMs));
    expect(targetOf(live, "db")?.spec.notAfter).toBe(live.expiresAt);
  });

  test("that moved while the target was given an earlier one is provisioned again", () => {
    const expiresAt = plus(live.expiresAt, hourMs);
    const extension = makeId("request", "more");
    const by = systemActor;
    const grant = evolveGrant(live, { type: "GrantExtended", at: at(hourMs), by, expiresAt, extension });
    expect(targetOf(grant, "db")).toMatchObject({ state: "PROVISIONING", spec: { notAfter: expiresAt } });
    expect(decideProvisioned(grant, "db", live.expiresAt, at(hourMs))).toEqual([]);
    expect(decideProvisioned(grant, "db", expiresAt, at(hourMs))).toHaveLength(1);
  });
});
