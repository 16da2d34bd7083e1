import { z } from "zod";
import {
  countConditionTypes,
  isTextCondition,
  listOperators,
  measureConditionTypes,
  numberOperators,
  textOperators,
  textConditionTypes,
  weekdays,
  type Condition,
  type CountCondition,
  type DurationCondition,
  type MeasureCondition,
  type TextCondition,
} from "../../core/policy/conditions.ts";
import { costlyPatterns } from "../../core/policy/costly-patterns.ts";
import { isPatternCondition, isValidPattern, patternLengthMax } from "../../core/policy/pattern-matching.ts";
import { formatDuration } from "../../core/values/time.ts";
import { isTimeZone, isWallClock } from "../../core/policy/time-window.ts";
import { duration, listOf } from "./values.ts";

const conditionsPerListMax = 50;
/** How deeply `anyOf` and `not` may be nested. */
export const conditionDepthMax = 8;
export const conditionListValuesMax = 1_000;
const valueLengthMax = 2_000;
const countMax = 1_000_000;

/** A condition as people write it. See docs/policies.md#conditions. */
export type WrittenCondition =
  | z.input<typeof leafCondition>
  | { anyOf: WrittenCondition[] }
  | { not: WrittenCondition };

const textType = z.enum(textConditionTypes);
const text = z.string().min(1).max(valueLengthMax);
const count = z.int().min(0).max(countMax);

const isAscending = ([low, high]: readonly [number, number]) => low <= high;
const outOfOrder = "must be [low, high] with low first";
/** Both bounds are included. */
const countPair = z.tuple([count, count]).refine(isAscending, outOfOrder);
const durationPair = z.tuple([duration, duration]).refine(isAscending, outOfOrder);

const textCondition = z.discriminatedUnion("operator", [
  z.strictObject({ type: textType, operator: z.enum(textOperators), value: text }),
  z.strictObject({
    type: textType,
    operator: z.enum(listOperators),
    value: listOf(text, { min: 1, max: conditionListValuesMax }, (one) => one),
  }),
]);

const durationCondition = z.discriminatedUnion("operator", [
  z
    .strictObject({ type: z.literal("DURATION"), operator: z.enum(numberOperators), value: duration })
    .transform(({ type, operator, value }) => ({ type, operator, valueMs: value })),
  z
    .strictObject({ type: z.literal("DURATION"), operator: z.literal("BETWEEN"), value: durationPair })
    .transform(({ type, operator, value }) => ({ type, operator, valueMs: value })),
]);

const measureCondition = z.discriminatedUnion("operator", [
  z.strictObject({ type: z.literal(measureConditionTypes), operator: z.enum(numberOperators), value: count }),
  z.strictObject({
    type: z.literal(measureConditionTypes),
    operator: z.literal("BETWEEN"),
    value: countPair,
  }),
]);

const countCondition = z.discriminatedUnion("operator", [
  z
    .strictObject({
      type: z.enum(countConditionTypes),
      operator: z.enum(numberOperators),
      value: count,
      within: z.exactOptional(duration),
    })
    .transform(({ within, ...rest }) => ({ ...rest, ...(within !== undefined && { withinMs: within }) })),
  z
    .strictObject({
      type: z.enum(countConditionTypes),
      operator: z.literal("BETWEEN"),
      value: countPair,
      within: z.exactOptional(duration),
    })
    .transform(({ within, ...rest }) => ({ ...rest, ...(within !== undefined && { withinMs: within }) })),
]);

const timeCondition = z.strictObject({
  type: z.literal("TIME"),
  operator: z.enum(["WITHIN", "OUTSIDE"]),
  value: z
    .strictObject({
      days: listOf(z.enum(weekdays), { min: 1, max: weekdays.length }, (one) => one).default([...weekdays]),
      from: z
        .string()
        .refine((clock) => isWallClock(clock, "from"), "must be a time of day from 00:00 to 23:59"),
      to: z.string().refine((clock) => isWallClock(clock, "to"), "must be a time of day from 00:00 to 24:00"),
      timezone: z.string().max(64).refine(isTimeZone, "must be an IANA time zone such as Europe/Berlin"),
    })
    .refine((window) => window.from !== window.to, {
      path: ["to"],
      message: "must differ from `from`: use 00:00 to 24:00 for the whole day",
    }),
});

/** Every condition but `anyOf` and `not`. */
export const leafCondition = z.discriminatedUnion("type", [
  textCondition,
  durationCondition,
  measureCondition,
  countCondition,
  timeCondition,
]);

const condition: z.ZodType<Condition, WrittenCondition> = z
  .union([
    leafCondition,
    z.strictObject({
      get anyOf() {
        return z.array(condition).min(1).max(conditionsPerListMax);
      },
    }),
    z.strictObject({
      get not() {
        return condition;
      },
    }),
  ])
  .meta({ id: "Condition", description: "True, false or unknown; evaluated once per scope." });

const notRe2 = `must be a regular expression in RE2 syntax of at most ${patternLengthMax} characters`;

/** Conditions that are all required. Invalid patterns and too deep nesting are refused with their path. */
export const conditions = z
  .array(condition)
  .max(conditionsPerListMax)
  .superRefine((list, context) => {
    // Patterns that cost too much together are not compiled, because the cost check refuses them.
    const isCompiled = costlyPatterns(list, []).every(({ kind }) => kind === "pattern");
    for (const { condition: visited, path, depth } of walk(list)) {
      if (isPatternCondition(visited) && isCompiled && !isValidPattern(visited.value)) {
        context.addIssue({ code: "custom", path: [...path, "value"], message: notRe2 });
      }
      if (depth !== conditionDepthMax + 1) continue;
      context.addIssue({ code: "custom", path, message: `is nested more than ${conditionDepthMax} deep` });
    }
  });

interface Visited {
  readonly condition: Condition;
  /** Its path in the list that is walked. */
  readonly path: (string | number)[];
  /** How many `anyOf` and `not` it is nested in. */
  readonly depth: number;
}

/** Visits every condition in a list, including nested ones. */
export function* walk(
  list: readonly Condition[],
  path: (string | number)[] = [],
  depth = 0,
): Iterable<Visited> {
  for (const [index, entry] of list.entries()) {
    yield* walkNested({ condition: entry, path: [...path, index], depth });
  }
}

function* walkNested(visited: Visited): Iterable<Visited> {
  yield visited;
  const { condition: outer, path, depth } = visited;
  if ("anyOf" in outer) yield* walk(outer.anyOf, [...path, "anyOf"], depth + 1);
  if ("not" in outer) yield* walkNested({ condition: outer.not, path: [...path, "not"], depth: depth + 1 });
}

/** The written form of a condition, which the schema reads back. */
export function writtenCondition(parsed: Condition): WrittenCondition {
  if ("anyOf" in parsed) return { anyOf: parsed.anyOf.map(writtenCondition) };
  if ("not" in parsed) return { not: writtenCondition(parsed.not) };
  if (parsed.type === "DURATION") return writtenDuration(parsed);
  if (parsed.type === "TIME") {
    const { type, operator, value } = parsed;
    return { type, operator, value: { ...value, days: [...value.days] } };
  }
  if (isTextCondition(parsed)) return writtenText(parsed);
  return isMeasureCondition(parsed) ? writtenMeasure(parsed) : writtenCount(parsed);
}

function writtenText(parsed: TextCondition): WrittenCondition {
  switch (parsed.operator) {
    case "IN":
    case "NOT_IN":
      return { type: parsed.type, operator: parsed.operator, value: [...parsed.value] };
    case "EQUALS":
    case "NOT_EQUALS":
    case "STARTS_WITH":
    case "ENDS_WITH":
    case "CONTAINS":
    case "MATCHES":
      return { type: parsed.type, operator: parsed.operator, value: parsed.value };
  }
}

function writtenDuration(parsed: DurationCondition): WrittenCondition {
  if (parsed.operator !== "BETWEEN") {
    return { type: parsed.type, operator: parsed.operator, value: formatDuration(parsed.valueMs) };
  }
  const [low, high] = parsed.valueMs;
  const value: [string, string] = [formatDuration(low), formatDuration(high)];
  return { type: parsed.type, operator: parsed.operator, value };
}

function isMeasureCondition(parsed: MeasureCondition | CountCondition): parsed is MeasureCondition {
  return measureConditionTypes.some((type) => type === parsed.type);
}

function writtenMeasure(parsed: MeasureCondition): WrittenCondition {
  const { type } = parsed;
  return parsed.operator === "BETWEEN"
    ? { type, operator: parsed.operator, value: [parsed.value[0], parsed.value[1]] }
    : { type, operator: parsed.operator, value: parsed.value };
}

function writtenCount(parsed: CountCondition): WrittenCondition {
  const { type, withinMs } = parsed;
  const within = withinMs === undefined ? {} : { within: formatDuration(withinMs) };
  if (parsed.operator !== "BETWEEN") {
    return { type, operator: parsed.operator, value: parsed.value, ...within };
  }
  const value: [number, number] = [parsed.value[0], parsed.value[1]];
  return { type, operator: parsed.operator, value, ...within };
}
