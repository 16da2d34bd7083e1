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

interface Situation {
  readonly policies: readonly Policy[];
  readonly spent?: readonly string[];
  readonly defaultPolicy?: Policy;
}

/** `policy a`, `denied a`, `denied`, `spent a`; also asserts that the dry run selects the same. */
const selectionOf = ({ policies, spent = [], defaultPolicy }: Situation): string => {
  const isExhausted = (policy: Policy): boolean => spent.includes(policy.name);
  const matching = matchingPolicies(indexPolicies(policies), scope, facts(), null);
  const selection = selectPolicy(matching, defaultPolicy, isExhausted);
  expect(explain(policies, defaultPolicy, scope, facts(), null, isExhausted).selection).toEqual(selection);
  return inWords(selection);
};

const inWords = (selection: PolicySelection): string =>
  selection.policy === undefined ? selection.kind : `${selection.kind} ${selection.policy.name}`;

const when = (...conditions: readonly Condition[]) => ({ conditions });

describe("which policy governs", () => {
  test.each<[string, Situation, string]>([
    ["no policy holds and there is no default: denied", { policies: [] }, "denied"],
    [
      "no policy holds: the default",
      { policies: [autoPolicy("a", when(never))], defaultPolicy: fallback },
      "policy default",
    ],
    [
      "a default that denies denies",
      { policies: [], defaultPolicy: denyPolicy("default") },
      "denied default",
    ],
    [
      "a disabled default does not apply",
      { policies: [], defaultPolicy: { ...fallback, enabled: false } },
      "denied",
    ],
    ["a default never approves by itself", { policies: [], defaultPolicy: autoPolicy("default") }, "denied"],
    [
      "higher priority comes first",
      { policies: [approvalPolicy("low"), autoPolicy("high", { priority: 1, ...when(always) })] },
      "policy high",
    ],
    [
      "at equal priority, approval comes before auto",
      { policies: [autoPolicy("a", when(always)), approvalPolicy("b")] },
      "policy b",
    ],
    ["then the name decides", { policies: [approvalPolicy("b"), approvalPolicy("a")] }, "policy a"],
    [
      "capitals come before small letters, by code point",
      { policies: [approvalPolicy("a"), approvalPolicy("Z")] },
      "policy Z",
    ],
    [
      "the shorter of two names comes first",
      { policies: [approvalPolicy("ab"), approvalPolicy("a")] },
      "policy a",
    ],
    [
      "beyond the first plane, code points decide too",
      { policies: [approvalPolicy("\u{1F600}"), approvalPolicy("\u{FF5E}")] },
      "policy \u{FF5E}",
    ],
    [
      "a deny wins whatever its priority",
      { policies: [autoPolicy("a", { priority: 9, ...when(always) }), denyPolicy("d", { priority: -9 })] },
      "denied d",
    ],
    [
      "an unknown deny denies",
      { policies: [approvalPolicy("a"), denyPolicy("d", when(unknown))] },
      "denied d",
    ],
    [
      "a false deny does not deny",
      { policies: [approvalPolicy("a"), denyPolicy("d", when(never))] },
      "policy a",
    ],
    [
      "a disabled deny does not deny",
      { policies: [approvalPolicy("a"), denyPolicy("d", { enabled: false })] },
      "policy a",
    ],
    [
      "an unknown auto policy does not govern",
      { policies: [autoPolicy("a", when(unknown))], defaultPolicy: fallback },
      "policy default",
    ],
    [
      "an unknown approval policy governs",
      { policies: [approvalPolicy("a", {}, when(unknown))] },
      "policy a",
    ],
  ])("%s", (_, situation, expected) => {
    expect(selectionOf(situation)).toBe(expected);
    expect(selectionOf({ ...situation, policies: situation.policies.toReversed() })).toBe(expected);
  });
});

const autoAt = (name: string, priority: number): Policy => autoPolicy(name, { priority, ...when(always) });
const approvalAt = (name: string, priority: number): Policy => approvalPolicy(name, {}, { priority });

describe("an exhausted policy:", () => {
  test.each<[string, Situation, string]>([
    [
      "auto gives way to approval",
      { policies: [autoAt("a", 2), approvalAt("p", 1)], spent: ["a"] },
      "policy p",
    ],
    ["auto never to another auto", { policies: [autoAt("a", 3), autoAt("b", 2)], spent: ["a"] }, "spent a"],
    [
      "auto gives way past another auto to approval",
      { policies: [autoAt("a", 3), autoAt("b", 2), approvalAt("p", 1)], spent: ["a"] },
      "policy p",
    ],
    [
      "the next approval policy may be exhausted too",
      { policies: [autoAt("a", 2), approvalAt("p", 1)], spent: ["a", "p"] },
      "spent p",
    ],
    [
      "an exhausted approval policy after auto does not give way",
      { policies: [autoAt("a", 3), approvalAt("p", 2), approvalAt("q", 1)], spent: ["a", "p"] },
      "spent p",
    ],
    [
      "approval does not give way",
      { policies: [approvalAt("p", 2), approvalAt("q", 1)], spent: ["p"] },
      "spent p",
    ],
    [
      "the default does not replace it",
      { policies: [autoAt("a", 1)], spent: ["a"], defaultPolicy: fallback },
      "spent a",
    ],
    [
      "the default can be exhausted",
      { policies: [], spent: ["default"], defaultPolicy: fallback },
      "spent default",
    ],
    [
      "an exhausted policy that would not govern has no effect",
      { policies: [autoAt("a", 2), approvalAt("p", 1)], spent: ["p"] },
      "policy a",
    ],
    [
      "a deny is never exhausted",
      { policies: [denyPolicy("d"), approvalAt("p", 1)], spent: ["d"] },
      "denied d",
    ],
  ])("%s", (_, situation, expected) => {
    expect(selectionOf(situation)).toBe(expected);
  });
});

const explanationOf = ({ policies, spent = [], defaultPolicy }: Situation): Explanation =>
  explain(policies, defaultPolicy, scope, facts(), null, (policy) => spent.includes(policy.name));

const outcomesOf = (situation: Situation) =>
  Object.fromEntries(explanationOf(situation).policies.map(({ policy, outcome }) => [policy.name, outcome]));

describe("the dry run shows", () => {
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
    expect(explanationOf({ policies }).reason).toBe("first_in_order");
    expect(outcomesOf({ policies })).toEqual({
      auto: "governs",
      approval: "outranked",
      unsure: "not_certain",
      unmet: "does_not_hold",
    });
  });
  test("in order of precedence, with every condition's verdict", () => {
    const all = explanationOf({ policies: [approval, second, auto] }).policies;
    expect(all.map(({ policy }) => policy.name)).toEqual(["auto", "second", "approval"]);
    expect(all[0]?.verdict.conditions.map(({ truth }) => truth)).toEqual(["true"]);
  });
  test("that a deny overrules", () => {
    const situation = { policies: [auto, denyPolicy("deny"), denyPolicy("later")] };
    expect(explanationOf(situation).reason).toBe("deny_wins");
    expect(outcomesOf(situation)).toEqual({ auto: "overruled", deny: "denies", later: "overruled" });
  });
  test("that another policy replaces an exhausted one", () => {
    const situation = { policies: [auto, second, approval, approvalPolicy("last")], spent: ["auto"] };
    expect(explanationOf(situation).reason).toBe("stands_in_for_spent");
    expect(outcomesOf(situation)).toEqual({
      auto: "spent",
      second: "passed_over",
      approval: "governs",
      last: "outranked",
    });
  });
  test("that all policies that may govern are exhausted", () => {
    expect(explanationOf({ policies: [auto, second], spent: ["auto"] }).reason).toBe("all_spent");
    expect(outcomesOf({ policies: [auto, second], spent: ["auto"] })).toEqual({
      auto: "spent",
      second: "passed_over",
    });
    expect(outcomesOf({ policies: [auto, approval], spent: ["auto", "approval"] })).toEqual({
      auto: "spent",
      approval: "spent",
    });
  });
  test("that the default applies, or that there is none", () => {
    expect(
      explanationOf({ policies: [autoPolicy("unmet", when(never))], defaultPolicy: fallback }).reason,
    ).toBe("default");
    expect(explanationOf({ policies: [] }).reason).toBe("nothing_holds");
  });
});

const world = fc.tuple(anyPolicies, anyScope, anyFacts, anyRisk, fc.func(fc.boolean()));

test("a deny that holds always wins and is the only match", () => {
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

test("the order in which policies are listed has no effect", () => {
  fc.assert(
    fc.property(world, ([policies, where, facing, risk]) => {
      const names = (all: readonly Policy[]) =>
        matchingPolicies(indexPolicies(all), where, facing, risk).map((policy) => policy.name);
      expect(names(policies.toReversed())).toEqual(names(policies));
    }),
  );
});

test("the dry run selects the same policy as a request, and marks exactly that one", () => {
  fc.assert(
    fc.property(world, ([policies, where, facing, risk, spent]) => {
      const isExhausted = (policy: Policy): boolean => spent(policy.name);
      const explanation = explain(policies, fallback, where, facing, risk, isExhausted);
      const matching = matchingPolicies(indexPolicies(policies), where, facing, risk);
      expect(explanation.selection).toEqual(selectPolicy(matching, fallback, isExhausted));
      const governing = explanation.policies.filter(
        ({ outcome }) => outcome === "governs" || outcome === "denies",
      );
      const expected =
        explanation.reason === "default" || explanation.selection.kind === "spent"
          ? []
          : [explanation.selection.policy];
      expect(governing.map(({ policy }) => policy)).toEqual(expected);
    }),
  );
});
