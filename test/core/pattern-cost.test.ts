import * as fc from "fast-check";
import { RE2JS } from "re2js";
import { describe, expect, test } from "vitest";
import { costlyPatterns, newlyCostly } from "../../src/core/policy/costly-patterns.ts";
import type { TextCondition } from "../../src/core/policy/conditions.ts";
import { dryRunCost, dryRunCostMax } from "../../src/core/policy/dry-run-cost.ts";
import { findMatchingPolicies } from "../../src/core/policy/governing-policy.ts";
import { evaluateConditions, evaluateInParts } from "../../src/core/policy/evaluate-conditions.ts";
import { isTooLarge } from "../../src/core/policy/pattern-matching.ts";
import { patternSizeMax, patternSizeOf } from "../../src/core/policy/pattern-size.ts";
import { indexPolicies } from "../../src/core/policy/policy-index.ts";
import { autoPolicy, denyPolicy, facts, scopeOf } from "./support/policies.ts";

const matches = (value: string, type: TextCondition["type"] = "REASON"): TextCondition => ({
  type,
  operator: "MATCHES",
  value,
});
const scope = scopeOf("read:prod:orders-db");
const hostile = "(a?){900}a{90}Z";

describe("the size of a pattern", () => {
  const pieces =
    "a b? ( (?: (?i) (?P<n> ) | [ab] [^]] [[:alpha:]] \\d \\pL \\p{Greek} \\x{41} {3} {2,9} {4,} {0} * + ? . ^ $ \\b \\Qx{9} \\E é";
  test("is at least the size of RE2's program, for any pattern", () => {
    let compiled = 0;
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...pieces.split(" ")), { maxLength: 14 }), (parts) => {
        const pattern = parts.join("");
        const size = sizeOfProgram(pattern);
        if (size === undefined) return;
        compiled++;
        expect(patternSizeOf(pattern)).toBeGreaterThanOrEqual(size);
      }),
      { numRuns: 3_000 },
    );
    expect(compiled).toBeGreaterThan(300);
  });

  test.each([hostile, "((a{1,10}){10}){10}", "(a|b){500}", "[a-z]{1001}", "\\Qa\\E{900}b{200}"])(
    "%s is too large, which is known without compiling it",
    (pattern) => {
      expect(isTooLarge(pattern)).toBe(true);
    },
  );

  test.each([
    "(?i)[B-\\x{1e942}B-\\x{1e942}B-\\x{1e942}]",
    "(?i)[--\u{1e942}!--B-\u{1e942}(-\u{1e942}]",
    "(?s-m:(?mi)[B-\u{1e942}a\\-\u{1e942}A-\\x{10fffe}])",
    "(?i)" + "\\pL".repeat(50),
    "(?i)[" + "\\p{Lu}".repeat(50) + "]",
    `[${"\\PL".repeat(100)}]`,
  ])("%s is too large, because its classes take long to compile", (pattern) => {
    expect(isTooLarge(pattern)).toBe(true);
  });

  test.each(["(?i)^[a-z0-9-]+ [à-ÿ]{1,30} \\pL{1,20}$", "(?i)[一-龥]+", "[B-\\x{1e942}]{9}"])(
    "%s is not too large, because it has few classes",
    (pattern) => {
      expect(isTooLarge(pattern)).toBe(false);
    },
  );

  test.each(["^(INC|CHG)-\\d{4,8}$", "[a-z0-9]{1,63}(\\.[a-z0-9]{1,63}){0,5}", "\\Q{900}\\E", "[{900}]{9}"])(
    "%s is not too large",
    (pattern) => {
      expect(isTooLarge(pattern)).toBe(false);
    },
  );

  test("many parentheses are counted without overflowing the stack", () => {
    expect(patternSizeOf("(".repeat(100_000))).toBeGreaterThan(0);
  });
});

describe("a pattern that costs too much", () => {
  test("evaluates to unknown: an auto policy does not hold, a deny does", () => {
    const verdict = evaluateConditions([matches(hostile)], scope, facts({ reason: "aaaZ" }), null);
    expect(verdict.truth).toBe("unknown");
    const index = indexPolicies([
      autoPolicy("auto", { conditions: [matches(hostile)] }),
      denyPolicy("deny", { conditions: [matches(hostile)] }),
    ]);
    const work = findMatchingPolicies(index, scope, facts(), null);
    let part = work.next();
    while (part.done !== true) part = work.next();
    expect(part.value.map(({ name }) => name)).toEqual(["deny"]);
  });

  test("is reported with its path, at any depth", () => {
    const found = costlyPatterns([{ not: { anyOf: [matches("a"), matches(hostile)] } }], ["conditions"]);
    expect(found).toMatchObject([
      { path: ["conditions", "0", "not", "anyOf", "1", "value"], kind: "pattern" },
    ]);
  });

  test("counts with the others of its list", () => {
    const each = `a{${patternSizeMax - 10}}`;
    expect(
      costlyPatterns(
        Array.from({ length: 10 }, () => matches(each)),
        ["when"],
      ),
    ).toEqual([]);
    const eleven = costlyPatterns(
      Array.from({ length: 11 }, () => matches(each)),
      ["when"],
    );
    expect(eleven).toMatchObject([{ path: ["when"], kind: "list" }]);
  });

  test("is not new when the same text is stored", () => {
    const found = costlyPatterns([matches(hostile), matches("b{1001}")], ["conditions"]);
    expect(newlyCostly(found, [[{ not: matches(hostile, "TICKET") }]])).toMatchObject([
      { path: ["conditions", "1", "value"] },
    ]);
  });
});

describe("one submission", () => {
  const partsOf = (conditions: readonly TextCondition[], about: ReturnType<typeof facts>, scopes: number) => {
    const costs: number[] = [];
    for (let number = 0; number < scopes; number++) {
      for (const cost of evaluateInParts(conditions, scopeOf(`read:x${number}`), about, null))
        costs.push(cost);
    }
    return costs.filter((cost) => cost > conditions.length).length;
  };

  test("matches a reason once per pattern, not per scope or condition", () => {
    const conditions = [matches("a{200}"), matches("a{200}"), matches("b{200}")];
    expect(partsOf(conditions, facts({ reason: "a".repeat(2_000) }), 20)).toBe(2);
  });

  test("matches a scope's own texts once per scope", () => {
    expect(partsOf([matches("a{200}", "RESOURCE")], facts(), 20)).toBe(20);
  });

  test("evaluates the same in parts as at once, and afresh for another submission", () => {
    const conditions = [matches("^INC"), matches("stuck$")];
    for (const reason of ["INC 4711 is stuck", "INC 4711", ""]) {
      const work = evaluateInParts(conditions, scope, facts({ reason }), null);
      let part = work.next();
      while (part.done !== true) part = work.next();
      expect(part.value).toEqual(evaluateConditions(conditions, scope, facts({ reason }), null));
    }
  });
});

describe("the cost of a dry run", () => {
  test("grows with the scopes for texts that depend on the scope, and not for others", () => {
    const policies = (type: TextCondition["type"]) => [
      autoPolicy("one", { conditions: [matches("a{900}", type)] }),
    ];
    const grown = (type: TextCondition["type"]) =>
      dryRunCost(policies(type), 20, 2_000) - dryRunCost(policies(type), 1, 2_000);
    expect(grown("RESOURCE")).toBeGreaterThan(19 * patternSizeMax * 0.9);
    expect(grown("REASON")).toBeLessThan(19 * 50);
  });

  test("is above the budget for many large patterns and for very many conditions", () => {
    const large = Array.from({ length: 100 }, (_, number) =>
      autoPolicy(`p${number}`, { conditions: [matches(`a{900}b{${number}}`)] }),
    );
    expect(dryRunCost(large, 1, 2_000)).toBeGreaterThan(dryRunCostMax);
    const nested = Array.from({ length: 200 }, (_, number) =>
      autoPolicy(`p${number}`, {
        conditions: Array.from({ length: 50 }, () => ({ not: { not: { not: matches("a") } } })),
      }),
    );
    expect(dryRunCost(nested, 20, 1)).toBeGreaterThan(dryRunCostMax);
  });

  test("is within it for a thousand ordinary policies and twenty scopes", () => {
    const ordinary = Array.from({ length: 1_000 }, (_, number) =>
      autoPolicy(`p${number}`, {
        conditions: [matches(`^team-${number}:`, "RESOURCE"), matches("^INC-\\d+")],
      }),
    );
    expect(dryRunCost(ordinary, 20, 200)).toBeLessThan(dryRunCostMax);
  });
});

function sizeOfProgram(pattern: string): number | undefined {
  try {
    return RE2JS.compile(pattern).programSize();
  } catch {
    return undefined;
  }
}
