import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Condition, Truth } from "../../src/core/policy/conditions.ts";
import { evaluateConditions } from "../../src/core/policy/evaluate-conditions.ts";
import { always, anyCondition, anyFacts, anyRisk, anyScope } from "./support/policies.ts";
import { facts, never, scopeOf, unknown } from "./support/policies.ts";

const scope = scopeOf("read:prod:orders-db");
const given = facts();
const truthOf = (condition: Condition): Truth => evaluateConditions([condition], scope, given, null).truth;

describe("three-valued logic", () => {
  const of: Readonly<Record<Truth, Condition>> = { true: always, false: never, unknown };
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
    expect(evaluateConditions([of[a], of[b]], scope, given, null).truth).toBe(both);
    expect(truthOf({ anyOf: [of[a], of[b]] })).toBe(either);
  });
  test.each([
    ["true", "false"],
    ["false", "true"],
    ["unknown", "unknown"],
  ] as const)("not %s is %s", (a, expected) => {
    expect(truthOf({ not: of[a] })).toBe(expected);
  });
  test("no condition is true, no alternative is false", () => {
    expect(evaluateConditions([], scope, given, null).truth).toBe("true");
    expect(truthOf({ anyOf: [] })).toBe("false");
  });

  const judged = fc.tuple(fc.array(anyCondition, { maxLength: 4 }), anyScope, anyFacts, anyRisk);
  test("not all of them is the same as any of them not", () => {
    fc.assert(
      fc.property(judged, ([all, where, facing, risk]) => {
        const together = evaluateConditions(all, where, facing, risk).truth;
        const negated = { anyOf: all.map((not) => ({ not })) };
        expect(evaluateConditions([{ not: negated }], where, facing, risk).truth).toBe(together);
        expect(evaluateConditions([{ not: { not: negated } }], where, facing, risk).truth).toBe(
          evaluateConditions([negated], where, facing, risk).truth,
        );
      }),
    );
  });
  test("knowing the risk never overturns what was settled without it", () => {
    fc.assert(
      fc.property(judged, fc.integer({ min: 0, max: 100 }), ([all, where, facing], score) => {
        const before = evaluateConditions(all, where, facing, null).truth;
        const after = evaluateConditions(all, where, facing, { score, factors: [] }).truth;
        expect(before === "unknown" ? after : before).toBe(after);
      }),
    );
  });
});
