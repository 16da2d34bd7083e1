import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { Condition, History } from "../../src/core/policy/conditions.ts";
import { explain } from "../../src/core/policy/governing-policy.ts";
import { evaluateConditions } from "../../src/core/policy/evaluate-conditions.ts";
import { needsHistory } from "../../src/core/policy/needs-history.ts";
import { emptyRules, type Rules } from "../../src/core/policy/policy.ts";
import { riskOf } from "../../src/core/policy/risk-score.ts";
import { anyCondition, anyScope, autoPolicy, facts } from "./support/policies.ts";

/** A history that must not be read. */
const unread: History = {
  startedAt: () => {
    throw new Error("the history was read");
  },
  get deniedAt(): never {
    throw new Error("the history was read");
  },
  get requestedAt(): never {
    throw new Error("the history was read");
  },
};

const rulebookWith = (condition: Condition, place: string) => {
  const policy = autoPolicy("one", { conditions: [condition] });
  const rules: Record<string, Partial<Rules>> = {
    policy: {},
    default: { defaultPolicy: policy },
    risk: { risk: [{ name: "one", points: 1, when: [condition] }] },
    breakGlass: { breakGlass: { ...emptyRules.breakGlass, conditions: [condition] } },
  };
  return { policies: place === "policy" ? [policy] : [], rules: { ...emptyRules, ...rules[place] } };
};

test("conditions that do not need the history are evaluated without reading it, wherever they are", () => {
  const place = fc.constantFrom("policy", "default", "risk", "breakGlass");
  fc.assert(
    fc.property(anyCondition, place, anyScope, (condition, ruleKind, scope) => {
      const { policies, rules } = rulebookWith(condition, ruleKind);
      fc.pre(!needsHistory({ policies, rules }));
      const factsWithoutHistory = facts({ history: unread });
      const risk = riskOf(rules.risk, [scope], factsWithoutHistory);
      explain(policies, rules.defaultPolicy, scope, factsWithoutHistory, risk, () => false);
      evaluateConditions(rules.defaultPolicy?.conditions ?? [], scope, factsWithoutHistory, risk);
      evaluateConditions(rules.breakGlass.conditions, scope, factsWithoutHistory, risk);
    }),
  );
});

test.each(["PREVIOUS_ACCESS", "RECENT_DENIALS", "RECENT_REQUESTS"] as const)(
  "%s needs the history, at any depth",
  (type) => {
    const deep: Condition = { not: { anyOf: [{ not: { type, operator: "EQUALS", value: 0 } }] } };
    expect(needsHistory(rulebookWith(deep, "risk"))).toBe(true);
    expect(needsHistory(rulebookWith({ type: "RISK_SCORE", operator: "EQUALS", value: 0 }, "risk"))).toBe(
      false,
    );
  },
);
