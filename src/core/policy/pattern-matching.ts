import { RE2JS } from "re2js";
import type { Condition, SubmissionFacts, TextCondition } from "./conditions.ts";
import { patternSizeMax, patternSizeOf } from "./pattern-size.ts";
import type { Work } from "../values/sliced-work.ts";

export const patternLengthMax = 1_000;

/**
 * Whether MATCHES accepts the pattern: RE2 syntax, at most 1,000 characters. Checked when a policy is written. A too
 * large pattern is not compiled to find out: it is refused as too costly, or evaluates to unknown if it is already
 * stored.
 */
export function isValidPattern(text: string): boolean {
  return text.length <= patternLengthMax && (isTooLarge(text) || compile(text) !== undefined);
}

/** Whether compiling and matching the pattern could block everybody else. */
export function isTooLarge(pattern: string): boolean {
  return patternSizeOf(pattern) > patternSizeMax;
}

/** A condition with MATCHES. */
export type PatternCondition = TextCondition & { readonly operator: "MATCHES"; readonly value: string };

/** A text to compare. `folded`: it is in lower case and compared case-insensitively. */
export interface ComparedText {
  readonly text: string;
  readonly folded: boolean;
}

/** Whether the pattern occurs in the text (unanchored); undefined when it is not RE2 or too large. */
export function isMatch(
  condition: PatternCondition,
  { text, folded }: ComparedText,
  facts: SubmissionFacts,
): boolean | undefined {
  const matches = matchesOf(facts);
  const key = cacheKeyOf(condition.value, text, folded);
  const cached = matches.get(key);
  if (cached !== undefined) return cached;
  const pattern = patternOf(condition, folded);
  if (pattern === undefined) return undefined;
  const found = pattern.test(text);
  matches.set(key, found);
  return found;
}

/** Whether the pattern compiles and is small enough. */
export function isUsable(condition: PatternCondition): boolean {
  return patternOf(condition, false) !== undefined;
}

/**
 * Matches patterns before conditions are evaluated, so that a caller can pause in between. Each pattern and text is
 * matched once per submission.
 */
export function* matchAhead(
  conditions: readonly PatternCondition[],
  textsOf: (condition: PatternCondition) => readonly ComparedText[],
  facts: SubmissionFacts,
): Work<void> {
  for (const condition of conditions) {
    if (isTooLarge(condition.value)) continue;
    for (const compared of textsOf(condition)) {
      if (matchesOf(facts).has(cacheKeyOf(condition.value, compared.text, compared.folded))) continue;
      isMatch(condition, compared, facts);
      yield matchCost(condition.value, compared.text.length);
    }
  }
}

/**
 * The cost in roughly microseconds: compiling, and one pass through the text. A hostile text can take three times as
 * long.
 */
export function matchCost(pattern: string, textLength: number): number {
  const size = patternSizeOf(pattern);
  return 1 + size + (size * textLength) / stepsPerMicrosecond;
}

const stepsPerMicrosecond = 50;

/** Every MATCHES condition, nested ones included. */
export function patternsIn(conditions: readonly Condition[]): readonly PatternCondition[] {
  const cached = patternsCache.get(conditions);
  if (cached !== undefined) return cached;
  const found = conditions.flatMap(patternsInCondition);
  patternsCache.set(conditions, found);
  return found;
}

const patternsCache = new WeakMap<readonly Condition[], readonly PatternCondition[]>();

function patternsInCondition(condition: Condition): readonly PatternCondition[] {
  if ("anyOf" in condition) return condition.anyOf.flatMap(patternsInCondition);
  if ("not" in condition) return patternsInCondition(condition.not);
  return isPatternCondition(condition) ? [condition] : [];
}

export function isPatternCondition(condition: Condition): condition is PatternCondition {
  return "operator" in condition && condition.operator === "MATCHES";
}

/** Match results per submission: its facts never change, so neither do the results. */
const matchesCache = new WeakMap<SubmissionFacts, Map<string, boolean>>();

function matchesOf(facts: SubmissionFacts): Map<string, boolean> {
  const matches = matchesCache.get(facts) ?? new Map<string, boolean>();
  matchesCache.set(facts, matches);
  return matches;
}

function cacheKeyOf(pattern: string, text: string, isFolded: boolean): string {
  return `${isFolded ? "i" : "="}${pattern.length}:${pattern}${text}`;
}

type Pattern = RE2JS | undefined;

/**
 * Compiled patterns by their condition. Compiling costs more than a hundred matches. A hostile pattern can hold
 * megabytes, so it is released together with its policy or dry run.
 */
const patterns = new WeakMap<TextCondition, { exact?: Pattern; folded?: Pattern }>();

function patternOf(condition: PatternCondition, isFolded: boolean): Pattern {
  const compiled = patterns.get(condition) ?? {};
  patterns.set(condition, compiled);
  const form = isFolded ? "folded" : "exact";
  if (!(form in compiled)) compiled[form] = compileForm(condition.value, isFolded);
  return compiled[form];
}

function compileForm(text: string, isFolded: boolean): Pattern {
  return isTooLarge(text) ? undefined : compile(isFolded ? `(?i)${text}` : text);
}

function compile(text: string): Pattern {
  try {
    return RE2JS.compile(text);
  } catch {
    return undefined;
  }
}
