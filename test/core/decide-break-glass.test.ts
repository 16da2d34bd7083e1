import { describe, expect, test } from "vitest";
import { debtOf } from "../../src/core/decisions/decide-break-glass.ts";
import { isRefusal } from "../../src/core/values/refusals.ts";
import { dayMs, hourMs, plus } from "../../src/core/values/time.ts";
import { denyPolicy, mondayNoon, scopeOf } from "./support/policies.ts";
import {
  after,
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

const house = world();
const taken = (() => {
  const decision = breakGlass(house);
  if (isRefusal(decision)) throw new Error(decision.detail);
  return after(undefined, decision);
})();
const active = play(house, taken, [[{ do: "claim", by: "dev" }]]);
const at = (ms: number) => plus(mondayNoon, ms);

describe("taking it", () => {
  test.each([
    ["allowed people", house, {}, {}, "RequestSubmitted BreakGlassUsed"],
    ["nobody by default", { ...house, breakGlass: { allowed: [] } }, {}, {}, "break_glass_not_allowed"],
    ["others", house, { subjectId: idOf("ann") }, {}, "break_glass_not_allowed"],
    [
      "a service",
      { ...house, breakGlass: { allowed: [{ kind: "group", group: "dba" }] } as const },
      { subjectId: idOf("bot") },
      {},
      "break_glass_not_allowed",
    ],
    ["asked for by somebody else", house, { requestedById: idOf("ann") }, {}, "break_glass_not_allowed"],
    ["a policy denies", world(denyPolicy("never")), {}, {}, "policy_denied"],
    [
      "no policy at all: that is what it is for",
      { ...house, policies: [] },
      {},
      {},
      "RequestSubmitted BreakGlassUsed",
    ],
    ["too long", house, { durationMs: 2 * hourMs }, {}, "duration_exceeds_policy"],
    ["conditions do not hold", house, {}, { conditionsHold: false }, "break_glass_not_allowed"],
    ["a review is overdue", house, {}, { debt: "overdue" }, "break_glass_review_due"],
    ["the last was unjustified", house, {}, { debt: "unjustified" }, "break_glass_review_due"],
    [
      "inactive",
      { ...house, people: people.map((one) => ({ ...one, enabled: one.id !== idOf("dev") })) },
      {},
      {},
      "identity_inactive",
    ],
    ["a lockdown does not stop it", { ...house, lockdown: true }, {}, {}, "RequestSubmitted BreakGlassUsed"],
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
    expect(outcomeOf(decide({ ...house, lockdown: true }, taken, { do: "claim", by: "dev" }, at(0)))).toBe(
      "RequestClaimed GrantStarted",
    );
  });
});

describe("debt", () => {
  const use = active.request;
  const review = (outcome: "justified" | "unjustified", by: string, when: number) =>
    play(house, active, [[{ do: "review", by, outcome }, at(when)]]).request;

  test.each([
    ["before it is due", use, dayMs - 1, undefined],
    ["when it is due", use, dayMs, "overdue"],
    ["at the end of the lockout", use, 31 * dayMs, undefined],
    ["justified", review("justified", "sec", hourMs), 2 * dayMs, undefined],
    ["unjustified", review("unjustified", "sec", hourMs), 2 * hourMs, "unjustified"],
    ["unjustified, lockout over", review("unjustified", "sec", hourMs), hourMs + 30 * dayMs, undefined],
  ] as const)("%s", (_, request, now, expected) => {
    expect(debtOf([request], at(now))).toBe(expected);
  });

  test("a later review by another reviewer clears it; the same one cannot judge twice", () => {
    const judged = play(house, active, [[{ do: "review", by: "sec", outcome: "unjustified" }, at(hourMs)]]);
    expect(
      outcomeOf(decide(house, judged, { do: "review", by: "sec", outcome: "justified" }, at(2 * hourMs))),
    ).toBe("already_voted");
    const cleared = play(house, judged, [
      [{ do: "review", by: "sam", outcome: "justified" }, at(2 * hourMs)],
    ]);
    expect(debtOf([cleared.request], at(3 * hourMs))).toBeUndefined();
  });

  test("a use that never started owes no review", () => {
    expect(debtOf([taken.request], at(10 * dayMs))).toBeUndefined();
    const cancelled = play(house, taken, [[{ do: "cancel", by: "dev" }]]);
    expect(
      outcomeOf(decide(house, cancelled, { do: "review", by: "sec", outcome: "justified" }, at(0))),
    ).toBe("not_active");
  });

  test("an overdue review is recorded once", () => {
    const over = play(house, active, [[{ do: "tick" }, at(hourMs)]]);
    const due = play(house, over, [[{ do: "tick" }, at(dayMs)]]);
    expect(due.request.breakGlass?.overdueAt).toBe(at(dayMs));
    expect(outcomeOf(decide(house, due, { do: "tick" }, at(2 * dayMs)))).toBe("nothing");
  });
});

test("break-glass access is not extended", () => {
  expect(active.grant?.breakGlass).toBe(true);
  expect(startedGrant(active).expiresAt).toBe(at(hourMs));
});
