import {
  isTextCondition,
  weekdays,
  type Condition,
  type CountConditionType,
  type DurationCondition,
  type LeafCondition,
  type MeasureConditionType,
  type NumberTest,
  type TextCondition,
  type TextConditionType,
} from "./conditions.ts";
import { sameContent } from "../values/same-content.ts";
import { secondMs } from "../values/time.ts";

/** Types with exactly one value per scope or person. Two different values exclude each other. */
const singleValued: ReadonlySet<TextConditionType> = new Set(["RESOURCE", "ACTION", "SCOPE", "KIND"]);

/**
 * Explains why required conditions can never hold together; undefined when that is not certain. Only the conditions
 * themselves are compared; patterns are not analysed.
 */
export function contradictionOf(conditions: readonly Condition[]): string | undefined {
  const flat = conditions.map(simplified);
  for (const condition of flat) {
    if ("anyOf" in condition) {
      if (condition.anyOf.every((alternative) => contradictionOf([alternative]) !== undefined))
        return "none of anyOf can hold";
      continue;
    }
    const reason = "not" in condition ? undefined : selfContradiction(condition);
    if (reason !== undefined) return reason;
  }
  return contradictionBetween(flat);
}

/** Replaces a negation by the opposite operator where there is one. */
function simplified(condition: Condition): Condition {
  if (!("not" in condition)) return condition;
  const { not } = condition;
  if ("not" in not) return simplified(not.not);
  if (!isTextCondition(not)) return condition;
  switch (not.operator) {
    case "EQUALS":
      return { type: not.type, operator: "NOT_EQUALS", value: not.value };
    case "NOT_EQUALS":
      return { type: not.type, operator: "EQUALS", value: not.value };
    case "IN":
      return { type: not.type, operator: "NOT_IN", value: not.value };
    case "NOT_IN":
      return { type: not.type, operator: "IN", value: not.value };
    default:
      return condition;
  }
}

function selfContradiction(leaf: LeafCondition): string | undefined {
  if (leaf.type === "TIME") {
    const { days, from, to } = leaf.value;
    const isAlways = days.length === weekdays.length && from === "00:00" && to === "24:00";
    return isAlways && leaf.operator === "OUTSIDE"
      ? "TIME OUTSIDE all of the week is no time at all"
      : undefined;
  }
  const range = rangeOf(leaf);
  return range === undefined || range.low <= range.high
    ? undefined
    : `no ${numberWords(range.type)} is ever that`;
}

type NumberType = DurationCondition["type"] | CountConditionType | MeasureConditionType;

interface Range {
  readonly type: NumberType;
  readonly withinMs: number | undefined;
  readonly low: number;
  readonly high: number;
}

/** An inclusive range of whole numbers, limited to values the number can have. */
function rangeOf(condition: Condition): Range | undefined {
  if ("anyOf" in condition || "not" in condition || condition.type === "TIME" || isTextCondition(condition)) {
    return undefined;
  }
  const { type, operator } = condition;
  const wanted = "valueMs" in condition ? condition.valueMs : condition.value;
  const [low, high] = boundsOf(operator, wanted);
  const withinMs = "withinMs" in condition ? condition.withinMs : undefined;
  const limits = limitsOf(type);
  return { type, withinMs, low: Math.max(low, limits.low), high: Math.min(high, limits.high) };
}

function boundsOf(
  operator: NumberTest,
  wanted: number | readonly [number, number],
): readonly [number, number] {
  const [low, high] = typeof wanted === "number" ? [wanted, wanted] : wanted;
  const none = Number.POSITIVE_INFINITY;
  switch (operator) {
    case "EQUALS":
    case "BETWEEN":
      return [low, high];
    case "LESS_THAN":
      return [-none, low - 1];
    case "LESS_THAN_OR_EQUAL":
      return [-none, low];
    case "GREATER_THAN":
      return [low + 1, none];
    case "GREATER_THAN_OR_EQUAL":
      return [low, none];
  }
}

/** The values a number can have. An extension is evaluated with its total time, so durations have no upper limit. */
function limitsOf(type: NumberType): { readonly low: number; readonly high: number } {
  switch (type) {
    case "DURATION":
      return { low: secondMs, high: Number.POSITIVE_INFINITY };
    case "RISK_SCORE":
      return { low: 0, high: 100 };
    case "PREVIOUS_ACCESS":
    case "RECENT_DENIALS":
    case "RECENT_REQUESTS":
      return { low: 0, high: Number.POSITIVE_INFINITY };
  }
}

function numberWords(type: NumberType): string {
  switch (type) {
    case "DURATION":
      return "duration";
    case "RISK_SCORE":
      return "risk (0 to 100)";
    case "PREVIOUS_ACCESS":
    case "RECENT_DENIALS":
    case "RECENT_REQUESTS":
      return "count";
  }
}

function contradictionBetween(conditions: readonly Condition[]): string | undefined {
  for (const [index, condition] of conditions.entries()) {
    if ("not" in condition && conditions.some((other) => sameContent(condition.not, other))) {
      return "one condition is the opposite of another";
    }
    for (const other of conditions.slice(index + 1)) {
      if (excludeEachOther(condition, other)) {
        return `${nameOf(condition)} and ${nameOf(other)} exclude each other`;
      }
    }
  }
  return undefined;
}

function excludeEachOther(left: Condition, right: Condition): boolean {
  const [leftRange, rightRange] = [rangeOf(left), rangeOf(right)];
  if (leftRange !== undefined && rightRange !== undefined) {
    return (
      leftRange.type === rightRange.type &&
      leftRange.withinMs === rightRange.withinMs &&
      Math.max(leftRange.low, rightRange.low) > Math.min(leftRange.high, rightRange.high)
    );
  }
  if (!isTextCondition(left) || !isTextCondition(right) || left.type !== right.type) return false;
  return rejectsAll(left, right) || rejectsAll(right, left);
}

/** Whether `other` rejects everything that `wanted` accepts. */
function rejectsAll(wanted: TextCondition, other: TextCondition): boolean {
  const values = exactValues(wanted);
  const isSingle = singleValued.has(wanted.type);
  if (values === undefined) {
    const isStart = wanted.operator === "STARTS_WITH" && other.operator === "STARTS_WITH";
    return (
      isSingle && isStart && !wanted.value.startsWith(other.value) && !other.value.startsWith(wanted.value)
    );
  }
  // A person has several groups and names, so only an explicit exclusion rules one out.
  const isExclusion = other.operator === "NOT_EQUALS" || other.operator === "NOT_IN";
  return (isSingle || isExclusion) && values.every((value) => accepts(other, value) === false);
}

function exactValues({ operator, value }: TextCondition): readonly string[] | undefined {
  if (operator === "EQUALS") return [value];
  return operator === "IN" ? value : undefined;
}

/** Undefined for a pattern, which is not analysed. */
function accepts({ operator, value }: TextCondition, text: string): boolean | undefined {
  switch (operator) {
    case "EQUALS":
      return text === value;
    case "NOT_EQUALS":
      return text !== value;
    case "IN":
      return value.includes(text);
    case "NOT_IN":
      return !value.includes(text);
    case "STARTS_WITH":
      return text.startsWith(value);
    case "ENDS_WITH":
      return text.endsWith(value);
    case "CONTAINS":
      return text.includes(value);
    case "MATCHES":
      return undefined;
  }
}

function nameOf(condition: Condition): string {
  if ("anyOf" in condition) return "anyOf";
  if ("not" in condition) return "not";
  const { type, operator } = condition;
  return isTextCondition(condition)
    ? `${type} ${operator} ${String(condition.value)}`
    : `${type} ${operator}`;
}
