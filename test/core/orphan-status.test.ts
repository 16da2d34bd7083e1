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

const listed = (grant: Grant, more: Partial<ListedObject> = {}): ListedObject => ({
  object: "jit_db",
  grantId: grant.id,
  notAfter: live.expiresAt,
  drift: [],
  ...more,
});

describe("what a listed object is to us", () => {
  const settledAt = at(0);
  const rows = {
    "of a grant that is being prepared": ["preparing", {}, "expected"],
    "of a live grant": ["active at targets", {}, "expected"],
    "of one past its end that no sweep has written": ["active at targets, time over", {}, "expected"],
    "of one that is over and not yet taken back": ["completed at targets", {}, "ending"],
    "of one that failed and is not yet taken back": ["failed", {}, "ending"],
    "of one that is gone by our records": ["completed and settled", {}, "over"],
    "of another name than was ordered, of a live grant": [
      "active at targets",
      { object: "jit_x" },
      "contradictory",
    ],
    "of another name than was ordered, of one that is over": [
      "completed and settled",
      { object: "jit_x" },
      "unexplained",
    ],
    "with a label that cannot be read": ["active at targets", { grantId: null }, "contradictory"],
  } as const;

  test.each(Object.entries(rows))("%s", (_, [state, more, status]) => {
    const grant = grantIn(state);
    expect(orphanStatusOf(listed(grant, more), "db", grant, plus(settledAt, 1), at(hourMs))).toBe(status);
  });

  test("gone by our records only since the listing was begun: the listing proves nothing", () => {
    const grant = grantIn("completed and settled");
    expect(orphanStatusOf(listed(grant), "db", grant, settledAt, at(hourMs))).toBe("ending");
  });

  test("of no grant: unexplained until its own label says that it is over", () => {
    const label = listed(live, { notAfter: at(5) });
    expect(orphanStatusOf(label, "db", undefined, at(0), at(4))).toBe("unexplained");
    expect(orphanStatusOf(label, "db", undefined, at(0), at(5))).toBe("expired");
    expect(orphanStatusOf({ ...label, notAfter: null }, "db", undefined, at(0), at(hourMs))).toBe(
      "unexplained",
    );
  });

  test("only what nobody can want is removed, and what is unexplained after its grace", () => {
    const removed = (status: Parameters<typeof shouldRemove>[0], afterMs: number) =>
      shouldRemove(status, at(0), at(afterMs));
    expect([removed("over", 0), removed("expired", 0)]).toEqual([true, true]);
    expect([removed("unexplained", orphanGraceMs - 1), removed("unexplained", orphanGraceMs)]).toEqual([
      false,
      true,
    ]);
    for (const kept of ["expected", "ending", "contradictory"] as const)
      expect(removed(kept, 30 * hourMs)).toBe(false);
  });
});

describe("drift", () => {
  const target = assertPresent(targetOf(live, "db"), "its target");
  const later = plus(target.since, 1);

  test("a listing begun before we changed the target ourselves says nothing", () => {
    expect(driftOf(target, undefined, target.since)).toBeUndefined();
    expect(driftOf({ ...target, state: "PROVISIONING" }, undefined, later)).toBeUndefined();
  });

  test("is what the target says, a label that lasts longer than the grant, and an object that is missing", () => {
    expect(driftOf(target, listed(live), later)).toEqual([]);
    expect(driftOf(target, listed(live, { drift: ["more rights"] }), later)).toEqual(["more rights"]);
    expect(driftOf(target, listed(live, { notAfter: plus(live.expiresAt, 1) }), later)).toHaveLength(1);
    expect(driftOf(target, undefined, later)).toHaveLength(1);
  });
});

describe("the latest end of a target", () => {
  test("leaves room to fetch it before the claim, and is the end of the access after it", () => {
    const before = assertPresent(targetOf(grantIn("prepared"), "db"), "its target");
    expect(before.spec.notAfter).toBe(at(claimPreparedWithinMs + 4 * hourMs));
    expect(targetOf(live, "db")?.spec.notAfter).toBe(live.expiresAt);
  });

  test("that has moved on while the target was told the one before is told again", () => {
    const expiresAt = plus(live.expiresAt, hourMs);
    const extension = makeId("request", "more");
    const by = systemActor;
    const grant = evolveGrant(live, { type: "GrantExtended", at: at(hourMs), by, expiresAt, extension });
    expect(targetOf(grant, "db")).toMatchObject({ state: "PROVISIONING", spec: { notAfter: expiresAt } });
    expect(decideProvisioned(grant, "db", live.expiresAt, at(hourMs))).toEqual([]);
    expect(decideProvisioned(grant, "db", expiresAt, at(hourMs))).toHaveLength(1);
  });
});
