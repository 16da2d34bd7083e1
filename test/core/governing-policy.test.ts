import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Condition } from "../../src/core/policy/conditions.ts";
import {
  selectPolicy,
  explain,
  matchingPolicies,
  type PolicySelection,
  type Explanation,
} from "../../src/core/policy/governing-policy.ts";
import { indexPolicies } from "../../src/core/policy/policy-index.ts";
import type { Policy } from "../../src/core/policy/policy.ts";
import {
  always,
  anyFacts,
  anyPolicies,
  anyRisk,
  anyScope,
  approvalPolicy,
  autoPolicy,
  denyPolicy,
  facts,
  never,
  scopeOf,
  unknown,
} from "./support/policies.ts";

const scope = scopeOf("read:dev:a");
const fallback = approvalPolicy("default");

interface Given {
  readonly policies: readonly Policy[];
  readonly spent?: readonly string[];
  readonly otherwise?: Policy;
}

/** `policy a`, `denied a`, `denied`, `spent a`; asserts on the way that the dry run says the same. */
const chosen = ({ policies, spent = [], otherwise }: Given): string => {
  const isExhausted = (policy: Policy): boolean => spent.includes(policy.name);
  const matching = matchingPolicies(indexPolicies(policies), scope, facts(), null);
  const selection = selectPolicy(matching, otherwise, isExhausted);
  expect(explain(policies, otherwise, scope, facts(), null, isExhausted).selection).toEqual(selection);
  return inWords(selection);
};

const inWords = (selection: PolicySelection): string =>
  selection.policy === undefined ? selection.kind : `${selection.kind} ${selection.policy.name}`;

const when = (...conditions: readonly Condition[]) => ({ conditions });

describe("which policy governs", () => {
  test.each<[string, Given, string]>([
    ["nothing holds, no default: denied", { policies: [] }, "denied"],
    [
      "nothing holds: the default",
      { policies: [autoPolicy("a", when(never))], otherwise: fallback },
      "policy default",
    ],
    ["a default that denies denies", { policies: [], otherwise: denyPolicy("default") }, "denied default"],
    [
      "a default that is switched off is none",
      { policies: [], otherwise: { ...fallback, enabled: false } },
      "denied",
    ],
    ["a default never approves by itself", { policies: [], otherwise: autoPolicy("default") }, "denied"],
    [
      "higher priority first",
      { policies: [approvalPolicy("low"), autoPolicy("high", { priority: 1, ...when(always) })] },
      "policy high",
    ],
    [
      "among equals approval before auto",
      { policies: [autoPolicy("a", when(always)), approvalPolicy("b")] },
      "policy b",
    ],
    ["then by name", { policies: [approvalPolicy("b"), approvalPolicy("a")] }, "policy a"],
    [
      "capitals before small letters, as code points go",
      { policies: [approvalPolicy("a"), approvalPolicy("Z")] },
      "policy Z",
    ],
    ["the shorter of two names first", { policies: [approvalPolicy("ab"), approvalPolicy("a")] }, "policy a"],
    [
      "beyond the first plane still by code point",
      { policies: [approvalPolicy("\u{1F600}"), approvalPolicy("\u{FF5E}")] },
      "policy \u{FF5E}",
    ],
    [
      "a deny wins whatever its priority",
      { policies: [autoPolicy("a", { priority: 9, ...when(always) }), denyPolicy("d", { priority: -9 })] },
      "denied d",
    ],
    [
      "a deny that cannot be known denies",
      { policies: [approvalPolicy("a"), denyPolicy("d", when(unknown))] },
      "denied d",
    ],
    [
      "a deny that does not hold does not",
      { policies: [approvalPolicy("a"), denyPolicy("d", when(never))] },
      "policy a",
    ],
    [
      "a disabled deny does not",
      { policies: [approvalPolicy("a"), denyPolicy("d", { enabled: false })] },
      "policy a",
    ],
    [
      "auto must be certain",
      { policies: [autoPolicy("a", when(unknown))], otherwise: fallback },
      "policy default",
    ],
    ["approval need not be", { policies: [approvalPolicy("a", {}, when(unknown))] }, "policy a"],
  ])("%s", (_, given, expected) => {
    expect(chosen(given)).toBe(expected);
    expect(chosen({ ...given, policies: given.policies.toReversed() })).toBe(expected);
  });
});

const autoAt = (name: string, priority: number): Policy => autoPolicy(name, { priority, ...when(always) });
const approvalAt = (name: string, priority: number): Policy => approvalPolicy(name, {}, { priority });

describe("a policy that is spent", () => {
  test.each<[string, Given, string]>([
    [
      "auto gives way to approval",
      { policies: [autoAt("a", 2), approvalAt("p", 1)], spent: ["a"] },
      "policy p",
    ],
    ["auto never to another auto", { policies: [autoAt("a", 3), autoAt("b", 2)], spent: ["a"] }, "spent a"],
    [
      "but past it to approval",
      { policies: [autoAt("a", 3), autoAt("b", 2), approvalAt("p", 1)], spent: ["a"] },
      "policy p",
    ],
    [
      "which may be spent too",
      { policies: [autoAt("a", 2), approvalAt("p", 1)], spent: ["a", "p"] },
      "spent p",
    ],
    [
      "and then does not give way itself",
      { policies: [autoAt("a", 3), approvalAt("p", 2), approvalAt("q", 1)], spent: ["a", "p"] },
      "spent p",
    ],
    [
      "approval does not give way",
      { policies: [approvalAt("p", 2), approvalAt("q", 1)], spent: ["p"] },
      "spent p",
    ],
    [
      "the default is no stand-in",
      { policies: [autoAt("a", 1)], spent: ["a"], otherwise: fallback },
      "spent a",
    ],
    ["the default can be spent", { policies: [], spent: ["default"], otherwise: fallback }, "spent default"],
    [
      "one that would not govern does not matter",
      { policies: [autoAt("a", 2), approvalAt("p", 1)], spent: ["p"] },
      "policy a",
    ],
    ["a deny is never spent", { policies: [denyPolicy("d"), approvalAt("p", 1)], spent: ["d"] }, "denied d"],
  ])("%s", (_, given, expected) => {
    expect(chosen(given)).toBe(expected);
  });
});

const told = ({ policies, spent = [], otherwise }: Given): Explanation =>
  explain(policies, otherwise, scope, facts(), null, (policy) => spent.includes(policy.name));

const standings = (given: Given) =>
  Object.fromEntries(told(given).policies.map((one) => [one.policy.name, one.outcome]));

describe("the dry run says why", () => {
  const auto = autoPolicy("auto", { priority: 3, ...when(always) });
  const second = autoPolicy("second", { priority: 2, ...when(always) });
  const approval = approvalPolicy("approval", {}, { priority: 1 });

  test("which one governs and what the others lack", () => {
    const policies = [
      approval,
      auto,
      autoPolicy("unsure", when(unknown)),
      autoPolicy("unmet", when(never)),
      { ...approval, enabled: false, name: "off" },
    ];
    expect(told({ policies }).reason).toBe("first_in_order");
    expect(standings({ policies })).toEqual({
      auto: "governs",
      approval: "outranked",
      unsure: "not_certain",
      unmet: "does_not_hold",
    });
  });
  test("in order of precedence, with every condition's verdict", () => {
    const all = told({ policies: [approval, second, auto] }).policies;
    expect(all.map((one) => one.policy.name)).toEqual(["auto", "second", "approval"]);
    expect(all[0]?.verdict.conditions.map((one) => one.truth)).toEqual(["true"]);
  });
  test("that a deny overrules", () => {
    const given = { policies: [auto, denyPolicy("deny"), denyPolicy("later")] };
    expect(told(given).reason).toBe("deny_wins");
    expect(standings(given)).toEqual({ auto: "overruled", deny: "denies", later: "overruled" });
  });
  test("that another stands in for a spent one", () => {
    const given = { policies: [auto, second, approval, approvalPolicy("last")], spent: ["auto"] };
    expect(told(given).reason).toBe("stands_in_for_spent");
    expect(standings(given)).toEqual({
      auto: "spent",
      second: "passed_over",
      approval: "governs",
      last: "outranked",
    });
  });
  test("that all which may are spent", () => {
    expect(told({ policies: [auto, second], spent: ["auto"] }).reason).toBe("all_spent");
    expect(standings({ policies: [auto, second], spent: ["auto"] })).toEqual({
      auto: "spent",
      second: "passed_over",
    });
    expect(standings({ policies: [auto, approval], spent: ["auto", "approval"] })).toEqual({
      auto: "spent",
      approval: "spent",
    });
  });
  test("that the default is asked, or that there is none", () => {
    expect(told({ policies: [autoPolicy("unmet", when(never))], otherwise: fallback }).reason).toBe(
      "default",
    );
    expect(told({ policies: [] }).reason).toBe("nothing_holds");
  });
});

const world = fc.tuple(anyPolicies, anyScope, anyFacts, anyRisk, fc.func(fc.boolean()));

test("a deny that holds always wins, alone", () => {
  fc.assert(
    fc.property(
      world,
      fc.integer({ min: -3, max: 3 }),
      ([policies, where, facing, risk, spent], priority) => {
        const deny = denyPolicy("the deny", { priority });
        const matching = matchingPolicies(indexPolicies([...policies, deny]), where, facing, risk);
        const selection = selectPolicy(matching, fallback, (policy) => spent(policy.name));
        expect(matching).toHaveLength(1);
        expect(selection.kind).toBe("denied");
      },
    ),
  );
});

test("the order in which policies are listed decides nothing", () => {
  fc.assert(
    fc.property(world, ([policies, where, facing, risk]) => {
      const names = (all: readonly Policy[]) =>
        matchingPolicies(indexPolicies(all), where, facing, risk).map((policy) => policy.name);
      expect(names(policies.toReversed())).toEqual(names(policies));
    }),
  );
});

test("the dry run chooses what the real one chooses, and marks exactly that policy", () => {
  fc.assert(
    fc.property(world, ([policies, where, facing, risk, spent]) => {
      const isExhausted = (policy: Policy): boolean => spent(policy.name);
      const explanation = explain(policies, fallback, where, facing, risk, isExhausted);
      const matching = matchingPolicies(indexPolicies(policies), where, facing, risk);
      expect(explanation.selection).toEqual(selectPolicy(matching, fallback, isExhausted));
      const governing = explanation.policies.filter(
        (one) => one.outcome === "governs" || one.outcome === "denies",
      );
      const expected =
        explanation.reason === "default" || explanation.selection.kind === "spent"
          ? []
          : [explanation.selection.policy];
      expect(governing.map((one) => one.policy)).toEqual(expected);
    }),
  );
});
