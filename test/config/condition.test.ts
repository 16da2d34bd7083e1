import * as fc from "fast-check";
import { describe, expect, expectTypeOf, test } from "vitest";
import { z } from "zod";
import type { Condition, LeafCondition } from "../../src/core/policy/conditions.ts";
import {
  conditionDepthMax,
  conditionListValuesMax,
  conditions,
  writtenCondition,
  type leafCondition,
  type WrittenCondition,
} from "../../src/config/schemas/condition.ts";
import { fieldProblems } from "../../src/config/schemas/field-problems.ts";
import { anyCondition } from "./support/arbitraries.ts";

const window = { days: ["MON"], from: "09:00", to: "18:00", timezone: "Europe/Berlin" };
const everyDay = ["MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN"];

function nested(depth: number): unknown {
  return depth === 0 ? { type: "KIND", operator: "EQUALS", value: "HUMAN" } : { not: nested(depth - 1) };
}

const accepted: [string, unknown, unknown][] = [
  ["text", { type: "RESOURCE", operator: "STARTS_WITH", value: "dev:" }, undefined],
  ["list", { type: "ACTION", operator: "IN", value: ["read", "list"] }, undefined],
  ["pattern", { type: "SCOPE", operator: "MATCHES", value: "^read:(a|b)$" }, undefined],
  [
    "duration",
    { type: "DURATION", operator: "LESS_THAN", value: "2h" },
    { type: "DURATION", operator: "LESS_THAN", valueMs: 7_200_000 },
  ],
  [
    "duration pair",
    { type: "DURATION", operator: "BETWEEN", value: ["1m", "PT1H"] },
    { type: "DURATION", operator: "BETWEEN", valueMs: [60_000, 3_600_000] },
  ],
  ["risk", { type: "RISK_SCORE", operator: "LESS_THAN", value: 30 }, undefined],
  ["equal pair", { type: "RISK_SCORE", operator: "BETWEEN", value: [5, 5] }, undefined],
  [
    "count",
    { type: "PREVIOUS_ACCESS", operator: "EQUALS", value: 0, within: "30d" },
    { type: "PREVIOUS_ACCESS", operator: "EQUALS", value: 0, withinMs: 2_592_000_000 },
  ],
  ["count without within", { type: "RECENT_DENIALS", operator: "GREATER_THAN", value: 0 }, undefined],
  [
    "count pair",
    { type: "RECENT_REQUESTS", operator: "BETWEEN", value: [1, 3], within: "1h" },
    { type: "RECENT_REQUESTS", operator: "BETWEEN", value: [1, 3], withinMs: 3_600_000 },
  ],
  ["time", { type: "TIME", operator: "WITHIN", value: window }, undefined],
  [
    "past midnight",
    { type: "TIME", operator: "OUTSIDE", value: { ...window, from: "22:00", to: "06:00" } },
    undefined,
  ],
  [
    "whole day",
    { type: "TIME", operator: "WITHIN", value: { ...window, from: "00:00", to: "24:00" } },
    undefined,
  ],
  [
    "time without days",
    { type: "TIME", operator: "WITHIN", value: { from: "09:00", to: "18:00", timezone: "Etc/UTC" } },
    {
      type: "TIME",
      operator: "WITHIN",
      value: { days: everyDay, from: "09:00", to: "18:00", timezone: "Etc/UTC" },
    },
  ],
  ["nesting at the limit", nested(conditionDepthMax), undefined],
];

const refused: [string, unknown, string[]][] = [
  ["a text", "RESOURCE", ["0"]],
  ["nothing", {}, ["0.type"]],
  ["an unknown type", { type: "COLOUR", operator: "EQUALS", value: "x" }, ["0.type"]],
  ["an unknown operator", { type: "RESOURCE", operator: "LIKE", value: "x" }, ["0.operator"]],
  ["no operator", { type: "RESOURCE", value: "x" }, ["0.operator"]],
  ["no value", { type: "RESOURCE", operator: "EQUALS" }, ["0.value"]],
  ["an unknown field", { type: "RESOURCE", operator: "EQUALS", value: "x", note: 1 }, ["0.note"]],
  ["another type's operator", { type: "RESOURCE", operator: "LESS_THAN", value: "x" }, ["0.operator"]],
  [
    "a text operator on a duration",
    { type: "DURATION", operator: "NOT_EQUALS", value: "1h" },
    ["0.operator"],
  ],
  ["a list for EQUALS", { type: "ACTION", operator: "EQUALS", value: ["read"] }, ["0.value"]],
  ["a text for IN", { type: "ACTION", operator: "IN", value: "read" }, ["0.value"]],
  ["an empty list", { type: "ACTION", operator: "IN", value: [] }, ["0.value"]],
  ["a value twice", { type: "ACTION", operator: "IN", value: ["read", "read"] }, ["0.value.1"]],
  [
    "too long a list",
    { type: "ACTION", operator: "IN", value: Array.from({ length: conditionListValuesMax + 1 }, String) },
    ["0.value"],
  ],
  ["an empty text", { type: "RESOURCE", operator: "STARTS_WITH", value: "" }, ["0.value"]],
  ["look-ahead", { type: "RESOURCE", operator: "MATCHES", value: "(?=x)" }, ["0.value"]],
  ["a back-reference", { type: "RESOURCE", operator: "MATCHES", value: String.raw`(x)\1` }, ["0.value"]],
  ["an open bracket", { type: "RESOURCE", operator: "MATCHES", value: "[" }, ["0.value"]],
  ["milliseconds", { type: "DURATION", operator: "LESS_THAN", value: 7_200_000 }, ["0.value"]],
  ["a bad duration", { type: "DURATION", operator: "BETWEEN", value: ["1h", "soon"] }, ["0.value.1"]],
  ["a pair upside down", { type: "DURATION", operator: "BETWEEN", value: ["2h", "1h"] }, ["0.value"]],
  ["three numbers", { type: "RISK_SCORE", operator: "BETWEEN", value: [1, 2, 3] }, ["0.value"]],
  ["half a number", { type: "RISK_SCORE", operator: "LESS_THAN", value: 0.5 }, ["0.value"]],
  ["a negative number", { type: "PREVIOUS_ACCESS", operator: "LESS_THAN", value: -1 }, ["0.value"]],
  ["within on risk", { type: "RISK_SCORE", operator: "LESS_THAN", value: 1, within: "1d" }, ["0.within"]],
  [
    "within on a duration",
    { type: "DURATION", operator: "LESS_THAN", value: "1h", within: "1d" },
    ["0.within"],
  ],
  [
    "no zone",
    { type: "TIME", operator: "WITHIN", value: { from: "09:00", to: "18:00" } },
    ["0.value.timezone"],
  ],
  [
    "a bad zone",
    { type: "TIME", operator: "WITHIN", value: { ...window, timezone: "Mars/Base" } },
    ["0.value.timezone"],
  ],
  ["a bad time", { type: "TIME", operator: "WITHIN", value: { ...window, from: "24:00" } }, ["0.value.from"]],
  [
    "an empty window",
    { type: "TIME", operator: "WITHIN", value: { ...window, to: "09:00" } },
    ["0.value.to"],
  ],
  [
    "a bad day",
    { type: "TIME", operator: "WITHIN", value: { ...window, days: ["Monday"] } },
    ["0.value.days.0"],
  ],
  ["no day", { type: "TIME", operator: "WITHIN", value: { ...window, days: [] } }, ["0.value.days"]],
  ["an empty anyOf", { anyOf: [] }, ["0.anyOf"]],
  ["a list in not", { not: [] }, ["0.not"]],
  ["anyOf and not", { anyOf: [nested(0)], not: nested(0) }, ["0.not"]],
  ["a field beside anyOf", { anyOf: [nested(0)], note: 1 }, ["0.note"]],
  [
    "a fault deep inside",
    { anyOf: [nested(0), { not: { type: "DURATION", operator: "LESS_THAN", value: "x" } }] },
    ["0.anyOf.1.not.value"],
  ],
  ["nesting beyond the limit", nested(conditionDepthMax + 1), [`0${".not".repeat(conditionDepthMax + 1)}`]],
];

describe("a written condition is read as the core's condition", () => {
  test.each(accepted)("%s", (_name, written, meaning) => {
    expect(conditions.parse([written])).toEqual([meaning ?? written]);
  });
});

describe("anything else is refused with its path", () => {
  test.each(refused)("%s", (_name, written, paths) => {
    const outcome = conditions.safeParse([written]);
    const problems = outcome.success ? [] : fieldProblems(outcome.error, [written]);
    expect(problems.map((problem) => problem.path)).toEqual(paths);
  });
});

test("an invalid choice is answered with the valid ones", () => {
  const written = [{ type: "TIME", operator: "DURING", value: window }];
  const outcome = conditions.safeParse(written);
  expect(outcome.success ? [] : fieldProblems(outcome.error, written)).toEqual([
    { path: "0.operator", message: "must be one of WITHIN, OUTSIDE" },
  ]);
});

test("every condition the core knows is written and read back unchanged", () => {
  fc.assert(
    fc.property(anyCondition, (condition) => {
      expect(conditions.parse([writtenCondition(condition)])).toEqual([condition]);
    }),
  );
});

test("invalid input is refused, and nothing is thrown", () => {
  fc.assert(
    fc.property(fc.anything(), (junk) => {
      const outcome = conditions.safeParse([junk]);
      const problems = outcome.success ? ["none"] : fieldProblems(outcome.error, [junk]);
      expect(problems.length).toBeGreaterThan(0);
    }),
  );
});

test("the written form has a JSON Schema", () => {
  const schema = z.toJSONSchema(conditions, { io: "input" });
  expect(schema).toMatchObject({ type: "array", items: { $ref: "#/$defs/Condition" } });
});

type Frozen<T> = T extends object ? { readonly [Key in keyof T]: Frozen<T[Key]> } : T;
type Read = Frozen<z.output<typeof leafCondition>>;

test("the schema's output is exactly the core's condition", () => {
  expectTypeOf<z.output<typeof conditions>>().toEqualTypeOf<Condition[]>();
  expectTypeOf<z.input<typeof conditions>>().toEqualTypeOf<WrittenCondition[]>();
  expectTypeOf<Read>().toExtend<LeafCondition>();
  expectTypeOf<LeafCondition["type"]>().toEqualTypeOf<Read["type"]>();
  expectTypeOf<LeafCondition["operator"]>().toEqualTypeOf<Read["operator"]>();
});
