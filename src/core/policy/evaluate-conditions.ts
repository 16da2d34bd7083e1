import type { Risk } from "./requirement-model.ts";
import type {
  Condition,
  CountConditionType,
  CountCondition,
  LeafCondition,
  MeasureCondition,
  NumberTest,
  SubmissionFacts,
  TextCondition,
  TimeWindow,
  Truth,
} from "./conditions.ts";
import type { Instant, Scope } from "../values/ids.ts";
import {
  isMatch,
  isPatternCondition,
  isUsable,
  matchAhead,
  patternsIn,
  type ComparedText,
} from "./pattern-matching.ts";
import { comparedTexts } from "./text-fields.ts";
import { formatDuration } from "../values/time.ts";
import { formatWallClock, isWithin, wallClockAt } from "./time-window.ts";
import type { Work } from "../values/sliced-work.ts";

/** The result for one scope: of all conditions together, and of each. */
export interface Verdict {
  readonly truth: Truth;
  readonly conditions: readonly ConditionVerdict[];
}

export interface ConditionVerdict {
  readonly condition: Condition;
  readonly truth: Truth;
  /** The value found, to show beside the one required; null when there is none or it is not known. */
  readonly actual: string | number | null;
  /** Results of the conditions inside `anyOf` or `not`; empty for others. */
  readonly inside: readonly ConditionVerdict[];
}

/**
 * Evaluates required conditions for one scope, in three-valued logic (docs/policies.md#true-false-or-unknown). An
 * unknown condition makes the result unknown, unless the others decide it. An empty list is true.
 */
export function evaluateConditions(
  conditions: readonly Condition[],
  scope: Scope,
  facts: SubmissionFacts,
  risk: Risk | null,
): Verdict {
  const input = { scope, facts, risk };
  const verdicts = conditions.map((condition) => evaluateOne(condition, input));
  return { truth: allTrue(verdicts), conditions: verdicts };
}

/** The same in parts: patterns are matched one by one before the rest, which is cheap. */
export function* evaluateInParts(
  conditions: readonly Condition[],
  scope: Scope,
  facts: SubmissionFacts,
  risk: Risk | null,
): Work<Verdict> {
  const texts = (condition: TextCondition) => comparedTexts(condition.type, { scope, facts });
  yield* matchAhead(patternsIn(conditions), texts, facts);
  const verdict = evaluateConditions(conditions, scope, facts, risk);
  yield conditions.length;
  return verdict;
}

interface EvaluationInput {
  readonly scope: Scope;
  readonly facts: SubmissionFacts;
  readonly risk: Risk | null;
}

interface Finding {
  readonly truth: Truth;
  readonly actual: string | number | null;
}

function evaluateOne(condition: Condition, input: EvaluationInput): ConditionVerdict {
  if ("anyOf" in condition) {
    const inside = condition.anyOf.map((alternative) => evaluateOne(alternative, input));
    return { condition, truth: anyTrue(inside), actual: null, inside };
  }
  if ("not" in condition) {
    const inner = evaluateOne(condition.not, input);
    return { condition, truth: negate(inner.truth), actual: null, inside: [inner] };
  }
  const { truth, actual } = findingOf(condition, input);
  return { condition, truth, actual, inside: [] };
}

function allTrue(verdicts: readonly ConditionVerdict[]): Truth {
  if (verdicts.some(({ truth }) => truth === "false")) return "false";
  return verdicts.every(({ truth }) => truth === "true") ? "true" : "unknown";
}

function anyTrue(verdicts: readonly ConditionVerdict[]): Truth {
  if (verdicts.some(({ truth }) => truth === "true")) return "true";
  return verdicts.every(({ truth }) => truth === "false") ? "false" : "unknown";
}

function negate(truth: Truth): Truth {
  if (truth === "unknown") return "unknown";
  return truthOf(truth === "false");
}

function truthOf(holds: boolean): Truth {
  return holds ? "true" : "false";
}

function findingOf(condition: LeafCondition, input: EvaluationInput): Finding {
  switch (condition.type) {
    case "DURATION": {
      const { durationMs } = input.facts;
      const truth = truthOf(isInRange(condition.operator, condition.valueMs, durationMs));
      return { truth, actual: formatDuration(durationMs) };
    }
    case "RISK_SCORE": {
      const actual = input.risk === null ? null : input.risk.score;
      return numberFinding(condition, actual);
    }
    case "PREVIOUS_ACCESS":
    case "RECENT_DENIALS":
    case "RECENT_REQUESTS":
      return numberFinding(condition, countOf(condition.type, condition.withinMs, input));
    case "TIME":
      return timeFinding(condition.operator, condition.value, input.facts.submittedAt);
    case "RESOURCE":
    case "ACTION":
    case "SCOPE":
    case "IDENTITY":
    case "GROUP":
    case "KIND":
    case "REASON":
    case "TICKET":
      return textFinding(condition, input);
  }
}

function isInRange(
  operator: NumberTest,
  wanted: number | readonly [number, number],
  actual: number,
): boolean {
  const [low, high] = typeof wanted === "number" ? [wanted, wanted] : wanted;
  switch (operator) {
    case "EQUALS":
      return actual === low;
    case "LESS_THAN":
      return actual < low;
    case "LESS_THAN_OR_EQUAL":
      return actual <= low;
    case "GREATER_THAN":
      return actual > low;
    case "GREATER_THAN_OR_EQUAL":
      return actual >= low;
    case "BETWEEN":
      return actual >= low && actual <= high;
  }
}

/** `actual` is null when the number is not known. */
function numberFinding(condition: MeasureCondition | CountCondition, actual: number | null): Finding {
  if (actual === null) return { truth: "unknown", actual };
  return { truth: truthOf(isInRange(condition.operator, condition.value, actual)), actual };
}

function countOf(
  type: CountConditionType,
  withinMs: number | undefined,
  { facts, scope }: EvaluationInput,
): number {
  const since = withinMs === undefined ? Number.NEGATIVE_INFINITY : facts.submittedAt - withinMs;
  const count = (instants: readonly Instant[]): number => instants.filter((at) => at > since).length;
  switch (type) {
    case "PREVIOUS_ACCESS":
      return count(facts.history.startedAt(scope));
    case "RECENT_DENIALS":
      return count(facts.history.deniedAt);
    case "RECENT_REQUESTS":
      return count(facts.history.requestedAt);
  }
}

function timeFinding(operator: "WITHIN" | "OUTSIDE", window: TimeWindow, at: Instant): Finding {
  const local = wallClockAt(window.timezone, at);
  const actual = local === undefined ? null : formatWallClock(local);
  const within = isWithin(window, at);
  if (within === undefined) return { truth: "unknown", actual };
  return { truth: truthOf(operator === "WITHIN" ? within : !within), actual };
}

function textFinding(condition: TextCondition, input: EvaluationInput): Finding {
  const texts = comparedTexts(condition.type, input);
  const actual = texts.length === 0 ? null : excerptOf(texts.map(({ text }) => text).join(", "));
  if (isPatternCondition(condition) && !isUsable(condition)) return { truth: "unknown", actual };
  const matches = texts.some((text) => accepts(condition, text, input.facts));
  const isNegative = condition.operator === "NOT_EQUALS" || condition.operator === "NOT_IN";
  return { truth: truthOf(isNegative ? !matches : matches), actual };
}

/**
 * Evaluates an operator without its negation: the caller negates NOT_EQUALS and NOT_IN over all texts at once. Case is
 * folded before the operator runs, so that no operator can forget it.
 */
function accepts(condition: TextCondition, compared: ComparedText, facts: SubmissionFacts): boolean {
  const { operator, value } = condition;
  if (operator === "MATCHES") {
    return isPatternCondition(condition) && isMatch(condition, compared, facts) === true;
  }
  const values = typeof value === "string" ? [value] : value;
  return values.some((wanted) =>
    isMet(operator, compared.text, compared.folded ? wanted.toLowerCase() : wanted),
  );
}

function isMet(
  operator: Exclude<TextCondition["operator"], "MATCHES">,
  text: string,
  wanted: string,
): boolean {
  switch (operator) {
    case "EQUALS":
    case "NOT_EQUALS":
    case "IN":
    case "NOT_IN":
      return text === wanted;
    case "STARTS_WITH":
      return text.startsWith(wanted);
    case "ENDS_WITH":
      return text.endsWith(wanted);
    case "CONTAINS":
      return text.includes(wanted);
  }
}

const excerptLengthMax = 200;

function excerptOf(text: string): string {
  return text.length <= excerptLengthMax ? text : `${text.slice(0, excerptLengthMax - 1)}…`;
}
