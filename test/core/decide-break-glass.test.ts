import { describe, expect, test } from "vitest";
import { reviewDebtOf } from "../../src/core/decisions/decide-break-glass.ts";
import { isRefusal } from "../../src/core/values/refusals.ts";
import { dayMs, hourMs, plus } from "../../src/core/values/time.ts";
import { denyPolicy, mondayNoon, scopeOf } from "./support/policies.ts";
import {
  applyEvents,
  askOf,
  breakGlass,
  decide,
  idOf,
  outcomeOf,
  people,
  play,
  world,
  startedGrant,
} from "./support/decision-setup.ts";

const testWorld = world();
const taken = (() => {
  const decision = breakGlass(testWorld);
  if (isRefusal(decision)) throw new Error(decision.detail);
  return applyEvents(undefined, decision);
})();
const active = play(testWorld, taken, [[{ do: "claim", by: "dev" }]]);
const at = (ms: number) => plus(mondayNoon, ms);

describe("using break-glass:", () => {
  test.each([
    ["allowed people", testWorld, {}, {}, "RequestSubmitted BreakGlassUsed"],
    [
      "nobody is allowed by default",
      { ...testWorld, breakGlass: { allowed: [] } },
      {},
      {},
      "break_glass_not_allowed",
    ],
    ["others", testWorld, { subjectId: idOf("ann") }, {}, "break_glass_not_allowed"],
    [
      "a service",
      { ...testWorld, breakGlass: { allowed: [{ kind: "group", group: "dba" }] } as const },
      { subjectId: idOf("bot") },
      {},
      "break_glass_not_allowed",
    ],
    ["submitted by somebody else", testWorld, { requestedById: idOf("ann") }, {}, "break_glass_not_allowed"],
    ["a policy denies", world(denyPolicy("never")), {}, {}, "policy_denied"],
    ["works without any policy", { ...testWorld, policies: [] }, {}, {}, "RequestSubmitted BreakGlassUsed"],
    ["too long", testWorld, { durationMs: 2 * hourMs }, {}, "duration_exceeds_policy"],
    ["its conditions are false", testWorld, {}, { conditionsHold: false }, "break_glass_not_allowed"],
    ["a review is overdue", testWorld, {}, { debt: "overdue" }, "break_glass_review_due"],
    ["the last was unjustified", testWorld, {}, { debt: "unjustified" }, "break_glass_review_due"],
    [
      "inactive",
      { ...testWorld, people: people.map((member) => ({ ...member, enabled: member.id !== idOf("dev") })) },
      {},
      {},
      "identity_inactive",
    ],
    [
      "a lockdown does not stop it",
      { ...testWorld, lockdown: true },
      {},
      {},
      "RequestSubmitted BreakGlassUsed",
    ],
  ] as const)("%s", (_, of, ask, more, expected) => {
    expect(
      outcomeOf(
        breakGlass(
          of,
          askOf({ durationMs: hourMs, scopes: [scopeOf("write:prod:db")], ...ask }),
          mondayNoon,
          more,
        ),
      ),
    ).toBe(expected);
  });

  test("a lockdown does not stop the claim either", () => {
    expect(
      outcomeOf(decide({ ...testWorld, lockdown: true }, taken, { do: "claim", by: "dev" }, at(0))),
    ).toBe("RequestClaimed GrantStarted");
  });
});

describe("review debt:", () => {
  const use = active.request;
  const review = (outcome: "justified" | "unjustified", by: string, when: number) =>
    play(testWorld, active, [[{ do: "review", by, outcome }, at(when)]]).request;

  test.each([
    ["before it is due", use, dayMs - 1, undefined],
    ["when it is due", use, dayMs, "overdue"],
    ["at the end of the lockout", use, 31 * dayMs, undefined],
    ["justified", review("justified", "sec", hourMs), 2 * dayMs, undefined],
    ["unjustified", review("unjustified", "sec", hourMs), 2 * hourMs, "unjustified"],
    ["unjustified, lockout over", review("unjustified", "sec", hourMs), hourMs + 30 * dayMs, undefined],
  ] as const)("%s", (_, request, now, expected) => {
    expect(reviewDebtOf([request], at(now))).toBe(expected);
  });

  test("a later review by another reviewer clears it; a reviewer cannot review twice", () => {
    const judged = play(testWorld, active, [
      [{ do: "review", by: "sec", outcome: "unjustified" }, at(hourMs)],
    ]);
    expect(
      outcomeOf(decide(testWorld, judged, { do: "review", by: "sec", outcome: "justified" }, at(2 * hourMs))),
    ).toBe("already_voted");
    const cleared = play(testWorld, judged, [
      [{ do: "review", by: "sam", outcome: "justified" }, at(2 * hourMs)],
    ]);
    expect(reviewDebtOf([cleared.request], at(3 * hourMs))).toBeUndefined();
  });

  test("a use that never started needs no review", () => {
    expect(reviewDebtOf([taken.request], at(10 * dayMs))).toBeUndefined();
    const cancelled = play(testWorld, taken, [[{ do: "cancel", by: "dev" }]]);
    expect(
      outcomeOf(decide(testWorld, cancelled, { do: "review", by: "sec", outcome: "justified" }, at(0))),
    ).toBe("not_active");
  });

  test("an overdue review is recorded once", () => {
    const over = play(testWorld, active, [[{ do: "tick" }, at(hourMs)]]);
    const due = play(testWorld, over, [[{ do: "tick" }, at(dayMs)]]);
    expect(due.request.breakGlass?.overdueAt).toBe(at(dayMs));
    expect(outcomeOf(decide(testWorld, due, { do: "tick" }, at(2 * dayMs)))).toBe("nothing");
  });
});

test("the grant of a break-glass use is marked and has the requested duration", () => {
  expect(active.grant?.breakGlass).toBe(true);
  expect(startedGrant(active).expiresAt).toBe(at(hourMs));
});
