import type { Leaf } from "./condition-tree.ts";
import { weekdays, type Condition, type NumberTest, type TextCondition } from "./conditions.ts";
import { sameContent } from "../values/same-content.ts";
import { secondMs } from "../values/time.ts";

/** Subjects of which a scope or a person has exactly one: two different values of them exclude each other. */
const single: ReadonlySet<string> = new Set(["RESOURCE", "ACTION", "SCOPE", "KIND"]);

/**
 * Why conditions that are all required can never hold together; undefined when nothing is certain. Only what follows from
 * the conditions themselves is looked at, and not what patterns may mean.
 */
export function contradictionOf(conditions: readonly Condition[]): string | undefined {
  const flat = conditions.map(simplified);
  for (const condition of flat) {
    if ("anyOf" in condition) {
      if (condition.anyOf.every((one) => contradictionOf([one]) !== undefined))
        return "none of anyOf can hold";
      continue;
    }
    const why = "not" in condition ? undefined : neverAlone(condition);
    if (why !== undefined) return why;
  }
  return contradictionIn(flat);
}

/** Conditions without a negation where its opposite can be said. */
function simplified(condition: Condition): Condition {
  if (!("not" in condition)) return condition;
  const { not } = condition;
  if ("not" in not) return simplified(not.not);
  if ("anyOf" in not || !isText(not)) return condition;
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

function isText(condition: Condition): condition is TextCondition {
  if ("anyOf" in condition || "not" in condition || !("value" in condition)) return false;
  const { value } = condition;
  return typeof value === "string" || (Array.isArray(value) && typeof value[0] === "string");
}

function neverAlone(leaf: Leaf): string | undefined {
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
    : `no ${subjectWords(range.subject)} is ever that`;
}

interface Range {
  readonly subject: string;
  readonly low: number;
  readonly high: number;
}

/** Both ends included, over whole numbers; within what the subject can be. */
function rangeOf(condition: Condition): Range | undefined {
  if ("anyOf" in condition || "not" in condition || condition.type === "TIME" || isText(condition)) {
    return undefined;
  }
  const { type, operator } = condition;
  const wanted = "valueMs" in condition ? condition.valueMs : condition.value;
  if (typeof wanted === "string" || (typeof wanted !== "number" && typeof wanted[0] === "string"))
    return undefined;
  const [low, high] = boundsOf(operator, wanted);
  const within = "withinMs" in condition && condition.withinMs !== undefined ? ` ${condition.withinMs}` : "";
  const limits = limitsOf(type);
  return { subject: `${type}${within}`, low: Math.max(low, limits.low), high: Math.min(high, limits.high) };
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

/** An extension is judged by all of its time, so durations have no upper end that is certain. */
function limitsOf(type: string): { readonly low: number; readonly high: number } {
  if (type === "DURATION") return { low: secondMs, high: Number.POSITIVE_INFINITY };
  return { low: 0, high: type === "RISK_SCORE" ? 100 : Number.POSITIVE_INFINITY };
}

function subjectWords(subject: string): string {
  if (subject === "RISK_SCORE") return "risk (0 to 100)";
  return subject === "DURATION" ? "duration" : "count";
}

function contradictionIn(conditions: readonly Condition[]): string | undefined {
  for (const [index, one] of conditions.entries()) {
    if ("not" in one && conditions.some((other) => sameContent(one.not, other))) {
      return "one condition is the opposite of another";
    }
    for (const other of conditions.slice(index + 1)) {
      if (excludeEachOther(one, other)) return `${nameOf(one)} and ${nameOf(other)} exclude each other`;
    }
  }
  return undefined;
}

function excludeEachOther(one: Condition, other: Condition): boolean {
  const [first, second] = [rangeOf(one), rangeOf(other)];
  if (first !== undefined && second !== undefined) {
    return (
      first.subject === second.subject && Math.max(first.low, second.low) > Math.min(first.high, second.high)
    );
  }
  if (!isText(one) || !isText(other) || one.type !== other.type) return false;
  return refuses(one, other) || refuses(other, one);
}

/** Whether nothing that `wanted` accepts is accepted by `other`. */
function refuses(wanted: TextCondition, other: TextCondition): boolean {
  const values = valuesWanted(wanted);
  const isSingle = single.has(wanted.type);
  if (values === undefined) {
    const isStart = wanted.operator === "STARTS_WITH" && other.operator === "STARTS_WITH";
    return (
      isSingle && isStart && !wanted.value.startsWith(other.value) && !other.value.startsWith(wanted.value)
    );
  }
  // A person has several groups and names: only what is expressly excluded cannot be theirs.
  const isExclusion = other.operator === "NOT_EQUALS" || other.operator === "NOT_IN";
  return (isSingle || isExclusion) && values.every((value) => accepts(other, value) === false);
}

function valuesWanted({ operator, value }: TextCondition): readonly string[] | undefined {
  if (operator === "EQUALS") return [value];
  return operator === "IN" ? value : undefined;
}

/** Undefined: a pattern, which is not looked into. */
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
  return isText(condition) ? `${type} ${operator} ${String(condition.value)}` : `${type} ${operator}`;
}
