import type { Risk } from "./requirement-model.ts";
import type {
  Condition,
  NumberSubject,
  NumberTest,
  SubmissionFacts,
  TextCondition,
  TextSubject,
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
  type Subject,
} from "./pattern-matching.ts";
import { actionOf, resourceOf } from "../values/scopes.ts";
import { formatDuration } from "../values/time.ts";
import { formatWallClock, isWithin, wallClockAt } from "./time-window.ts";
import type { Work } from "../values/sliced-work.ts";

/** Whether conditions hold together for one scope, and how each of them came out. */
export interface Verdict {
  readonly truth: Truth;
  readonly conditions: readonly ConditionVerdict[];
}

export interface ConditionVerdict {
  readonly condition: Condition;
  readonly truth: Truth;
  /** What was found, to be shown beside what was wanted; null when there is nothing to show or it is not known. */
  readonly actual: string | number | null;
  /** How the conditions inside `anyOf` or `not` came out; empty for all others. */
  readonly inside: readonly ConditionVerdict[];
}

/**
 * Judges conditions that are all required, for one scope (contract §4). Three-valued: a part that is not known leaves
 * the whole unknown unless the other parts settle it. No condition at all is true.
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

/** The same in parts: the patterns are matched one by one before the rest, which is cheap, is judged. */
export function* evaluateInParts(
  conditions: readonly Condition[],
  scope: Scope,
  facts: SubmissionFacts,
  risk: Risk | null,
): Work<Verdict> {
  const texts = (condition: TextCondition) => textsOf(condition.type, { scope, facts, risk });
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
    const inside = condition.anyOf.map((one) => evaluateOne(one, input));
    return { condition, truth: someTrue(inside), actual: null, inside };
  }
  if ("not" in condition) {
    const one = evaluateOne(condition.not, input);
    return { condition, truth: negated(one.truth), actual: null, inside: [one] };
  }
  const { truth, actual } = findingOf(condition, input);
  return { condition, truth, actual, inside: [] };
}

function allTrue(verdicts: readonly ConditionVerdict[]): Truth {
  if (verdicts.some((one) => one.truth === "false")) return "false";
  return verdicts.every((one) => one.truth === "true") ? "true" : "unknown";
}

function someTrue(verdicts: readonly ConditionVerdict[]): Truth {
  if (verdicts.some((one) => one.truth === "true")) return "true";
  return verdicts.every((one) => one.truth === "false") ? "false" : "unknown";
}

function negated(truth: Truth): Truth {
  if (truth === "unknown") return "unknown";
  return truthOf(truth === "false");
}

function truthOf(holds: boolean): Truth {
  return holds ? "true" : "false";
}

type Leaf = Exclude<Condition, { readonly anyOf: unknown } | { readonly not: unknown }>;

function findingOf(condition: Leaf, input: EvaluationInput): Finding {
  switch (condition.type) {
    case "DURATION": {
      const { durationMs } = input.facts;
      const truth = truthOf(isInRange(condition.operator, condition.valueMs, durationMs));
      return { truth, actual: formatDuration(durationMs) };
    }
    case "RISK_SCORE":
    case "PREVIOUS_ACCESS":
    case "RECENT_DENIALS":
    case "RECENT_REQUESTS": {
      const actual = numberOf(condition.type, condition.withinMs, input);
      if (actual === null) return { truth: "unknown", actual };
      return { truth: truthOf(isInRange(condition.operator, condition.value, actual)), actual };
    }
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

/** Null: not known, which only the risk can be. */
function numberOf(
  subject: NumberSubject,
  withinMs: number | undefined,
  input: EvaluationInput,
): number | null {
  const { facts, risk, scope } = input;
  const since = withinMs === undefined ? Number.NEGATIVE_INFINITY : facts.submittedAt - withinMs;
  const count = (instants: readonly Instant[]): number => instants.filter((at) => at > since).length;
  switch (subject) {
    case "RISK_SCORE":
      return risk === null ? null : risk.score;
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
  const found = textsOf(condition.type, input);
  const actual = found.length === 0 ? null : excerptOf(found.map((one) => one.text).join(", "));
  if (isPatternCondition(condition) && !isUsable(condition)) return { truth: "unknown", actual };
  const matches = found.some((one) => accepts(condition, one, input.facts));
  const isNegative = condition.operator === "NOT_EQUALS" || condition.operator === "NOT_IN";
  return { truth: truthOf(isNegative ? !matches : matches), actual };
}

function asWritten(...texts: readonly string[]): readonly Subject[] {
  return texts.map((text) => ({ text, folded: false }));
}

/** Everything the subject may be known by here; a condition is met by any one of them. */
function textsOf(subject: TextSubject, input: EvaluationInput): readonly Subject[] {
  const { facts, scope } = input;
  switch (subject) {
    case "RESOURCE":
      return asWritten(resourceOf(scope));
    case "ACTION":
      return asWritten(actionOf(scope));
    case "SCOPE":
      return asWritten(scope);
    case "IDENTITY": {
      const { id, email } = facts.subject;
      return email === undefined
        ? asWritten(id)
        : [...asWritten(id), { text: email.toLowerCase(), folded: true }];
    }
    case "GROUP":
      return asWritten(...facts.subject.groups);
    case "KIND":
      return asWritten(facts.subject.kind);
    case "REASON":
      return asWritten(facts.reason);
    case "TICKET":
      return facts.ticket === undefined ? [] : asWritten(facts.ticket);
  }
}

/** The positive half of every operator: NOT_EQUALS and NOT_IN are negated by the caller, over all texts at once. */
function accepts(condition: TextCondition, { text, folded }: Subject, facts: SubmissionFacts): boolean {
  const inCase = (wanted: string): string => (folded ? wanted.toLowerCase() : wanted);
  switch (condition.operator) {
    case "EQUALS":
    case "NOT_EQUALS":
      return text === inCase(condition.value);
    case "IN":
    case "NOT_IN":
      return condition.value.some((one) => text === inCase(one));
    case "STARTS_WITH":
      return text.startsWith(inCase(condition.value));
    case "ENDS_WITH":
      return text.endsWith(inCase(condition.value));
    case "CONTAINS":
      return text.includes(inCase(condition.value));
    case "MATCHES":
      return isPatternCondition(condition) && isMatch(condition, { text, folded }, facts) === true;
  }
}

const excerptLengthMax = 200;

function excerptOf(text: string): string {
  return text.length <= excerptLengthMax ? text : `${text.slice(0, excerptLengthMax - 1)}…`;
}
