import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { assertPresent } from "../../src/core/values/assert.ts";
import {
  countConditionTypes,
  measureConditionTypes,
  type Condition,
  type CountConditionType,
  type SubmissionFacts,
  type TextConditionType,
  type Truth,
} from "../../src/core/policy/conditions.ts";
import { instant, makeId } from "../../src/core/values/ids.ts";
import { evaluateConditions } from "../../src/core/policy/evaluate-conditions.ts";
import { isValidPattern } from "../../src/core/policy/pattern-matching.ts";
import { dayMs, hourMs } from "../../src/core/values/time.ts";
import { facts, mondayNoon, scopeOf, unknown } from "./support/policies.ts";

const scope = scopeOf("read:prod:orders-db");
const defaultFacts = facts({ ticket: "OPS-17" });

const truthOf = (
  condition: Condition,
  ofFacts: SubmissionFacts = defaultFacts,
  score: number | null = null,
): Truth =>
  evaluateConditions([condition], scope, ofFacts, score === null ? null : { score, factors: [] }).truth;

const text = (
  type: TextConditionType,
  operator: "EQUALS" | "NOT_EQUALS" | "STARTS_WITH" | "ENDS_WITH" | "CONTAINS" | "MATCHES",
  value: string,
): Condition => ({ type, operator, value });

describe("every operator accepts each text type's own text and rejects another:", () => {
  /** Type, its text, a prefix, a suffix, and a part of it. */
  const examples: readonly (readonly [TextConditionType, string, string, string, string])[] = [
    ["RESOURCE", "prod:orders-db", "prod:", "-db", "orders"],
    ["ACTION", "read", "re", "ad", "ea"],
    ["SCOPE", "read:prod:orders-db", "read:", "-db", ":prod:"],
    ["IDENTITY", "id_dev", "id_", "_dev", "d_d"],
    ["IDENTITY", "dev@company.com", "dev@", "@company.com", "company"],
    ["GROUP", "oncall", "on", "call", "nca"],
    ["KIND", "HUMAN", "HU", "AN", "UMA"],
    ["REASON", "Emergency production database access", "Emergency", "access", "database"],
    ["TICKET", "OPS-17", "OPS-", "-17", "S-1"],
  ];
  const rows = examples.flatMap(
    ([type, whole, start, end, inside]): readonly (readonly [Condition, Truth])[] => [
      [text(type, "EQUALS", whole), "true"],
      [text(type, "EQUALS", start), "false"],
      [text(type, "NOT_EQUALS", whole), "false"],
      [text(type, "NOT_EQUALS", start), "true"],
      [{ type, operator: "IN", value: ["zz", whole] }, "true"],
      [{ type, operator: "IN", value: ["zz", start] }, "false"],
      [{ type, operator: "IN", value: [] }, "false"],
      [{ type, operator: "NOT_IN", value: ["zz", whole] }, "false"],
      [{ type, operator: "NOT_IN", value: ["zz", start] }, "true"],
      [text(type, "STARTS_WITH", start), "true"],
      [text(type, "STARTS_WITH", end), "false"],
      [text(type, "ENDS_WITH", end), "true"],
      [text(type, "ENDS_WITH", start), "false"],
      [text(type, "CONTAINS", inside), "true"],
      [text(type, "CONTAINS", "zz"), "false"],
      [text(type, "MATCHES", `^${start}`), "true"],
      [text(type, "MATCHES", `.${end}$`), "true"],
      [text(type, "MATCHES", `^${end}`), "false"],
    ],
  );
  test.each(rows)("%j is %s", (condition, expected) => {
    expect(truthOf(condition)).toBe(expected);
  });
});

describe("text is compared exactly, and all facts about a person count:", () => {
  test.each([
    ["case matters", text("ACTION", "EQUALS", "READ"), "false"],
    ["except in an e-mail", text("IDENTITY", "EQUALS", "Dev@Company.com"), "true"],
    ["except in a list of e-mails", { type: "IDENTITY", operator: "IN", value: ["DEV@COMPANY.COM"] }, "true"],
    ["except in a pattern for e-mails", text("IDENTITY", "MATCHES", "@Company\\.com$"), "true"],
    ["but in an id it does", text("IDENTITY", "EQUALS", "ID_DEV"), "false"],
    ["one group among several is enough", text("GROUP", "EQUALS", "engineering"), "true"],
    ["NOT_EQUALS requires that no group matches", text("GROUP", "NOT_EQUALS", "engineering"), "false"],
    [
      "NOT_IN requires that no group matches",
      { type: "GROUP", operator: "NOT_IN", value: ["hr", "oncall"] },
      "false",
    ],
    ["NOT_EQUALS holds for a group the person is not in", text("GROUP", "NOT_EQUALS", "hr"), "true"],
    ["a pattern is found anywhere", text("RESOURCE", "MATCHES", "orders"), "true"],
    ["unless it is anchored", text("RESOURCE", "MATCHES", "^orders$"), "false"],
  ] as const)("%s", (_, condition, expected) => {
    expect(truthOf(condition)).toBe(expected);
  });

  test("an absent ticket equals nothing and differs from everything", () => {
    const without = facts();
    expect(truthOf(text("TICKET", "EQUALS", "OPS-17"), without)).toBe("false");
    expect(truthOf(text("TICKET", "STARTS_WITH", ""), without)).toBe("false");
    expect(truthOf(text("TICKET", "MATCHES", ".*"), without)).toBe("false");
    expect(truthOf(text("TICKET", "NOT_EQUALS", "OPS-17"), without)).toBe("true");
    expect(truthOf({ type: "TICKET", operator: "NOT_IN", value: ["OPS-17"] }, without)).toBe("true");
  });

  test("an address in capitals is the same address", () => {
    const subject = { ...defaultFacts.subject, email: "Dev@Company.COM" };
    expect(truthOf(text("IDENTITY", "ENDS_WITH", "@company.com"), facts({ subject }))).toBe("true");
  });

  test("a service without an address matches by its id", () => {
    const service = facts({ subject: { id: makeId("identity", "ci"), kind: "SERVICE", groups: [] } });
    expect(truthOf(text("IDENTITY", "EQUALS", "id_ci"), service)).toBe("true");
    expect(truthOf(text("IDENTITY", "NOT_EQUALS", "dev@company.com"), service)).toBe("true");
    expect(truthOf(text("KIND", "EQUALS", "SERVICE"), service)).toBe("true");
    expect(truthOf(text("GROUP", "CONTAINS", ""), service)).toBe("false");
  });
});

const numberRows = [
  ["EQUALS", 3, "false"],
  ["EQUALS", 4, "true"],
  ["LESS_THAN", 4, "false"],
  ["LESS_THAN", 5, "true"],
  ["LESS_THAN_OR_EQUAL", 3, "false"],
  ["LESS_THAN_OR_EQUAL", 4, "true"],
  ["GREATER_THAN", 4, "false"],
  ["GREATER_THAN", 3, "true"],
  ["GREATER_THAN_OR_EQUAL", 5, "false"],
  ["GREATER_THAN_OR_EQUAL", 4, "true"],
] as const;
const betweenRows = [
  [[4, 6], "true"],
  [[2, 4], "true"],
  [[5, 6], "false"],
  [[2, 3], "false"],
] as const;

describe("numbers follow their operator, and both ends of BETWEEN are inclusive:", () => {
  const four = [1, 2, 3, 4].map((hours) => instant(mondayNoon - hours * hourMs));
  const past = facts({ history: { startedAt: () => four, deniedAt: four, requestedAt: four } });
  const types = [...measureConditionTypes, ...countConditionTypes];
  test.each(types.flatMap((type) => numberRows.map((row) => [type, ...row] as const)))(
    "%s of 4 %s %i is %s",
    (type, operator, value, expected) => {
      expect(truthOf({ type, operator, value }, past, 4)).toBe(expected);
    },
  );
  test.each(types.flatMap((type) => betweenRows.map((row) => [type, ...row] as const)))(
    "%s of 4 BETWEEN %j is %s",
    (type, value, expected) => {
      expect(truthOf({ type, operator: "BETWEEN", value }, past, 4)).toBe(expected);
    },
  );
  test.each(numberRows)("DURATION of 4h %s %ih is %s", (operator, hours, expected) => {
    expect(truthOf({ type: "DURATION", operator, valueMs: hours * hourMs })).toBe(expected);
  });
  test.each(betweenRows)("DURATION of 4h BETWEEN %j is %s", ([low, high], expected) => {
    const valueMs = [low * hourMs, high * hourMs] as const;
    expect(truthOf({ type: "DURATION", operator: "BETWEEN", valueMs })).toBe(expected);
  });
});

const daysAgo = (days: number) => instant(mondayNoon - days * dayMs);

const actualCount = (type: CountConditionType, withinMs?: number) => {
  const past = facts({
    history: {
      startedAt: (asked) => (asked === scope ? [daysAgo(1), daysAgo(30), daysAgo(100)] : [daysAgo(1)]),
      deniedAt: [daysAgo(2), daysAgo(29)],
      requestedAt: [daysAgo(3)],
    },
  });
  const condition: Condition = { type, operator: "EQUALS", value: 0, ...(withinMs && { withinMs }) };
  return evaluateConditions([condition], scope, past, null).conditions[0]?.actual;
};

describe("the past", () => {
  test("earlier access counts for this scope only", () => {
    expect(actualCount("PREVIOUS_ACCESS")).toBe(3);
  });
  test("`within` counts back from the submission and excludes its far end", () => {
    expect(actualCount("PREVIOUS_ACCESS", 30 * dayMs)).toBe(1);
    expect(actualCount("PREVIOUS_ACCESS", 30 * dayMs + 1)).toBe(2);
  });
  test("denials and requests count for all scopes", () => {
    expect(actualCount("RECENT_DENIALS", 7 * dayMs)).toBe(1);
    expect(actualCount("RECENT_DENIALS")).toBe(2);
    expect(actualCount("RECENT_REQUESTS")).toBe(1);
  });
});

test("TIME uses the moment of submission, and OUTSIDE is the rest of the week", () => {
  const officeHours = { days: ["MON"], from: "09:00", to: "18:00", timezone: "Europe/Berlin" } as const;
  const night = facts({ submittedAt: instant(mondayNoon + 8 * hourMs) });
  expect(truthOf({ type: "TIME", operator: "WITHIN", value: officeHours })).toBe("true");
  expect(truthOf({ type: "TIME", operator: "OUTSIDE", value: officeHours })).toBe("false");
  expect(truthOf({ type: "TIME", operator: "WITHIN", value: officeHours }, night)).toBe("false");
  expect(truthOf({ type: "TIME", operator: "OUTSIDE", value: officeHours }, night)).toBe("true");
});

describe("a condition that cannot be evaluated is unknown, also negated, and never false:", () => {
  const nowhere = { days: ["MON"], from: "09:00", to: "18:00", timezone: "Mars/Olympus" } as const;
  test.each<Condition>([
    unknown,
    { not: unknown },
    { type: "RISK_SCORE", operator: "BETWEEN", value: [0, 100] },
    { type: "TIME", operator: "WITHIN", value: nowhere },
    { type: "TIME", operator: "OUTSIDE", value: nowhere },
    { type: "RESOURCE", operator: "MATCHES", value: "(" },
  ])("%j", (condition) => {
    expect(truthOf(condition)).toBe("unknown");
  });
});

describe("the verdict", () => {
  test("shows the value found for every condition", () => {
    const conditions: readonly Condition[] = [
      { type: "DURATION", operator: "LESS_THAN", valueMs: hourMs },
      { type: "RISK_SCORE", operator: "LESS_THAN", value: 30 },
      text("GROUP", "EQUALS", "dba"),
      {
        type: "TIME",
        operator: "WITHIN",
        value: { days: [], from: "09:00", to: "18:00", timezone: "Europe/Berlin" },
      },
      text("TICKET", "EQUALS", "OPS-1"),
      text("IDENTITY", "EQUALS", "id_x"),
    ];
    const verdict = evaluateConditions(conditions, scope, facts(), { score: 42, factors: [] });
    expect(verdict.conditions.map(({ condition }) => condition)).toEqual(conditions);
    expect(verdict.conditions.map(({ actual }) => actual)).toEqual([
      "4h",
      42,
      "engineering, oncall",
      "MON 12:30",
      null,
      "id_dev, dev@company.com",
    ]);
  });

  test("contains the verdicts of nested conditions", () => {
    const verdict = evaluateConditions(
      [{ anyOf: [text("ACTION", "EQUALS", "write"), { not: unknown }] }],
      scope,
      defaultFacts,
      null,
    );
    const outer = assertPresent(verdict.conditions[0], "verdict");
    expect(outer.truth).toBe("unknown");
    expect(outer.inside.map(({ truth }) => truth)).toEqual(["false", "unknown"]);
    expect(outer.inside[0]?.actual).toBe("read");
    expect(outer.inside[1]?.inside.map(({ truth }) => truth)).toEqual(["unknown"]);
  });

  test("cuts a long reason for display, not for evaluation", () => {
    const long = facts({ reason: `${"x".repeat(1_999)}!` });
    const verdict = evaluateConditions([text("REASON", "ENDS_WITH", "!")], scope, long, null);
    expect(verdict.truth).toBe("true");
    expect(String(verdict.conditions[0]?.actual)).toHaveLength(200);
  });
});

const factsOfPerson = (id: string, email: string): SubmissionFacts =>
  facts({ subject: { id: makeId("identity", id), kind: "HUMAN", groups: [], email } });

describe("patterns", () => {
  test.each(["^prod:", "db$", "(a|b)+", "\\p{L}", "(?i)prod"])("%s is valid", (pattern) => {
    expect(isValidPattern(pattern)).toBe(true);
  });
  test.each(["(", "[", "(?=a)", "(a)\\1", "a{3}{4}"])("%s is refused by RE2", (pattern) => {
    expect(isValidPattern(pattern)).toBe(false);
  });
  test("at most 1,000 characters are valid", () => {
    expect(isValidPattern("a".repeat(1_000))).toBe(true);
    expect(isValidPattern("a".repeat(1_001))).toBe(false);
  });
  test("a condition keeps its own pattern, and ignores case for e-mail addresses", () => {
    const condition = text("IDENTITY", "MATCHES", "^Dev@|_DEV$");
    expect(truthOf(condition, factsOfPerson("x", "dev@company.com"))).toBe("true");
    expect(truthOf(condition, factsOfPerson("dev", "x@company.com"))).toBe("false");
    expect(truthOf(condition, factsOfPerson("DEV", "x@company.com"))).toBe("true");
    expect(truthOf(condition, factsOfPerson("x", "dev@company.com"))).toBe("true");
  });
  test("evaluation answers for any text as a pattern", () => {
    fc.assert(
      fc.property(fc.string(), fc.string({ unit: "binary" }), (pattern, reason) => {
        const expected = isValidPattern(pattern) ? ["true", "false"] : ["unknown"];
        expect(expected).toContain(truthOf(text("REASON", "MATCHES", pattern), facts({ reason })));
      }),
    );
  });
});
