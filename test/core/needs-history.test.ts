import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { Condition, History } from "../../src/core/policy/conditions.ts";
import { explain } from "../../src/core/policy/governing-policy.ts";
import { evaluateConditions } from "../../src/core/policy/evaluate-conditions.ts";
import { needsHistory } from "../../src/core/policy/needs-history.ts";
import { emptyRules, type Rules } from "../../src/core/policy/policy.ts";
import { riskOf } from "../../src/core/policy/risk-score.ts";
import { anyCondition, anyScope, autoPolicy, facts } from "./support/policies.ts";

/** A past that must not be asked about. */
const unread: History = {
  startedAt: () => {
    throw new Error("the past was asked about");
  },
  get deniedAt(): never {
    throw new Error("the past was asked about");
  },
  get requestedAt(): never {
    throw new Error("the past was asked about");
  },
};

const bookOf = (condition: Condition, place: string) => {
  const policy = autoPolicy("one", { conditions: [condition] });
  const rules: Record<string, Partial<Rules>> = {
    policy: {},
    default: { defaultPolicy: policy },
    risk: { risk: [{ name: "one", points: 1, when: [condition] }] },
    breakGlass: { breakGlass: { ...emptyRules.breakGlass, conditions: [condition] } },
  };
  return { policies: place === "policy" ? [policy] : [], rules: { ...emptyRules, ...rules[place] } };
};

test("what does not look back is judged without a past, wherever it stands", () => {
  const place = fc.constantFrom("policy", "default", "risk", "breakGlass");
  fc.assert(
    fc.property(anyCondition, place, anyScope, (condition, where, scope) => {
      const { policies, rules } = bookOf(condition, where);
      fc.pre(!needsHistory({ policies, rules }));
      const blind = facts({ history: unread });
      const risk = riskOf(rules.risk, [scope], blind);
      explain(policies, rules.defaultPolicy, scope, blind, risk, () => false);
      evaluateConditions(rules.defaultPolicy?.conditions ?? [], scope, blind, risk);
      evaluateConditions(rules.breakGlass.conditions, scope, blind, risk);
    }),
  );
});

test.each(["PREVIOUS_ACCESS", "RECENT_DENIALS", "RECENT_REQUESTS"] as const)(
  "%s looks back, however deep it stands",
  (type) => {
    const deep: Condition = { not: { anyOf: [{ not: { type, operator: "EQUALS", value: 0 } }] } };
    expect(needsHistory(bookOf(deep, "risk"))).toBe(true);
    expect(needsHistory(bookOf({ type: "RISK_SCORE", operator: "EQUALS", value: 0 }, "risk"))).toBe(false);
  },
);
