import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Condition } from "../../src/core/policy/conditions.ts";
import { selectPolicy, matchingPolicies } from "../../src/core/policy/governing-policy.ts";
import { evaluateConditions } from "../../src/core/policy/evaluate-conditions.ts";
import { indexPolicies, type PolicyIndex } from "../../src/core/policy/policy-index.ts";
import type { Policy } from "../../src/core/policy/policy.ts";
import {
  always,
  anyFacts,
  anyPolicies,
  anyRisk,
  anyScope,
  approvalPolicy,
  never,
  scopeOf,
} from "./support/policies.ts";

const policyWith = (name: string, ...conditions: readonly Condition[]): Policy =>
  approvalPolicy(name, {}, { conditions });

const namesFor = (policies: readonly Policy[], scope: string): readonly string[] =>
  indexPolicies(policies)
    .candidates(scopeOf(scope))
    .map((policy) => policy.name)
    .toSorted();

const onResource = (operator: "EQUALS" | "STARTS_WITH" | "ENDS_WITH", value: string): Condition => ({
  type: "RESOURCE",
  operator,
  value,
});

describe("a policy is a candidate only where its most specific condition can hold:", () => {
  const reading: Condition = { type: "ACTION", operator: "EQUALS", value: "read" };
  test.each<[string, readonly Condition[], string, boolean]>([
    ["equal resource", [onResource("EQUALS", "dev:a")], "read:dev:a", true],
    ["other resource", [onResource("EQUALS", "dev:a")], "read:dev:ab", false],
    ["prefix of the resource", [onResource("STARTS_WITH", "dev:")], "read:dev:a", true],
    ["other prefix", [onResource("STARTS_WITH", "dev:")], "read:prod:dev:", false],
    ["prefix as long as the resource", [onResource("STARTS_WITH", "dev:a")], "read:dev:a", true],
    ["prefix longer than the resource", [onResource("STARTS_WITH", "dev:ab")], "read:dev:a", false],
    ["empty prefix", [onResource("STARTS_WITH", "")], "read:dev:a", true],
    [
      "one of the listed scopes",
      [{ type: "SCOPE", operator: "IN", value: ["read:x", "read:dev:a"] }],
      "read:dev:a",
      true,
    ],
    [
      "none of the listed scopes",
      [{ type: "SCOPE", operator: "IN", value: ["read:x"] }],
      "read:dev:a",
      false,
    ],
    ["an empty list", [{ type: "SCOPE", operator: "IN", value: [] }], "read:dev:a", false],
    ["equal action", [reading], "read:dev:a", true],
    ["other action", [reading], "reader:dev:a", false],
    ["narrow resource under a wide action", [reading, onResource("EQUALS", "dev:a")], "read:dev:b", false],
    ["one of the alternatives", [{ anyOf: [onResource("EQUALS", "x"), reading] }], "read:dev:a", true],
    ["none of the alternatives", [{ anyOf: [onResource("EQUALS", "x"), reading] }], "write:dev:a", false],
    [
      "alternatives of which one cannot be looked up",
      [{ anyOf: [onResource("EQUALS", "x"), always] }],
      "read:dev:a",
      true,
    ],
    ["a negation", [{ not: onResource("EQUALS", "dev:a") }], "read:dev:a", true],
    ["a suffix", [onResource("ENDS_WITH", "zz")], "read:dev:a", true],
    ["no condition", [], "read:dev:a", true],
    ["nothing that can hold", [never], "read:dev:a", false],
  ])("%s", (_, conditions, scope, expected) => {
    expect(namesFor([policyWith("one", ...conditions)], scope)).toEqual(expected ? ["one"] : []);
  });

  test("a policy with several matching keys is found once", () => {
    const both = policyWith("both", {
      anyOf: [onResource("EQUALS", "dev:a"), onResource("STARTS_WITH", "dev:")],
    });
    expect(namesFor([both], "read:dev:a")).toEqual(["both"]);
  });

  test("a disabled policy is never a candidate", () => {
    expect(namesFor([{ ...policyWith("off"), enabled: false }, policyWith("on")], "read:dev:a")).toEqual([
      "on",
    ]);
  });
});

test("every policy that holds or may hold is a candidate", () => {
  fc.assert(
    fc.property(anyPolicies, anyScope, anyFacts, anyRisk, (policies, scope, facing, risk) => {
      const candidates = indexPolicies(policies).candidates(scope);
      expect(new Set(candidates).size).toBe(candidates.length);
      const holding = policies.filter(
        (policy) =>
          policy.enabled && evaluateConditions(policy.conditions, scope, facing, risk).truth !== "false",
      );
      expect(candidates).toEqual(expect.arrayContaining(holding));
    }),
    { numRuns: 500 },
  );
});

test("the same policy governs with and without the index", () => {
  fc.assert(
    fc.property(
      anyPolicies,
      anyScope,
      anyFacts,
      anyRisk,
      fc.func(fc.boolean()),
      (policies, scope, facing, risk, spent) => {
        const plain: PolicyIndex = { candidates: () => policies.filter((policy) => policy.enabled) };
        const isExhausted = (policy: Policy): boolean => spent(policy.name);
        const selection = (index: PolicyIndex) =>
          selectPolicy(matchingPolicies(index, scope, facing, risk), undefined, isExhausted);
        expect(selection(indexPolicies(policies))).toEqual(selection(plain));
      },
    ),
    { numRuns: 500 },
  );
});
