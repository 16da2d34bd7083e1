import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Condition, Truth } from "../../src/core/policy/conditions.ts";
import { evaluateConditions } from "../../src/core/policy/evaluate-conditions.ts";
import { always, anyCondition, anyFacts, anyRisk, anyScope } from "./support/policies.ts";
import { facts, never, scopeOf, unknown } from "./support/policies.ts";

const scope = scopeOf("read:prod:orders-db");
const defaultFacts = facts();
const truthOf = (condition: Condition): Truth =>
  evaluateConditions([condition], scope, defaultFacts, null).truth;

describe("three-valued logic", () => {
  const conditionOf: Readonly<Record<Truth, Condition>> = { true: always, false: never, unknown };
  test.each([
    ["true", "true", "true", "true"],
    ["true", "false", "false", "true"],
    ["true", "unknown", "unknown", "true"],
    ["false", "true", "false", "true"],
    ["false", "false", "false", "false"],
    ["false", "unknown", "false", "unknown"],
    ["unknown", "true", "unknown", "true"],
    ["unknown", "false", "false", "unknown"],
    ["unknown", "unknown", "unknown", "unknown"],
  ] as const)("%s and %s are %s together, %s as alternatives", (a, b, both, either) => {
    expect(evaluateConditions([conditionOf[a], conditionOf[b]], scope, defaultFacts, null).truth).toBe(both);
    expect(truthOf({ anyOf: [conditionOf[a], conditionOf[b]] })).toBe(either);
  });
  test.each([
    ["true", "false"],
    ["false", "true"],
    ["unknown", "unknown"],
  ] as const)("not %s is %s", (a, expected) => {
    expect(truthOf({ not: conditionOf[a] })).toBe(expected);
  });
  test("an empty list is true, empty alternatives are false", () => {
    expect(evaluateConditions([], scope, defaultFacts, null).truth).toBe("true");
    expect(truthOf({ anyOf: [] })).toBe("false");
  });

  const evaluation = fc.tuple(fc.array(anyCondition, { maxLength: 4 }), anyScope, anyFacts, anyRisk);
  test("De Morgan: all conditions equal the negation of any negated one", () => {
    fc.assert(
      fc.property(evaluation, ([all, scopeOfRun, factsOfRun, risk]) => {
        const together = evaluateConditions(all, scopeOfRun, factsOfRun, risk).truth;
        const negated = { anyOf: all.map((not) => ({ not })) };
        expect(evaluateConditions([{ not: negated }], scopeOfRun, factsOfRun, risk).truth).toBe(together);
        expect(evaluateConditions([{ not: { not: negated } }], scopeOfRun, factsOfRun, risk).truth).toBe(
          evaluateConditions([negated], scopeOfRun, factsOfRun, risk).truth,
        );
      }),
    );
  });
  test("a known risk never changes a result that was decided without it", () => {
    fc.assert(
      fc.property(evaluation, fc.integer({ min: 0, max: 100 }), ([all, scopeOfRun, factsOfRun], score) => {
        const before = evaluateConditions(all, scopeOfRun, factsOfRun, null).truth;
        const after = evaluateConditions(all, scopeOfRun, factsOfRun, { score, factors: [] }).truth;
        expect(before === "unknown" ? after : before).toBe(after);
      }),
    );
  });
});
