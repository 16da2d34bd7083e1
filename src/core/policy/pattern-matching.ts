import { RE2JS } from "re2js";
import type { Condition, SubmissionFacts, TextCondition } from "./conditions.ts";
import { patternSizeMax, patternSizeOf } from "./pattern-size.ts";
import type { Work } from "../values/sliced-work.ts";

export const patternLengthMax = 1_000;

/**
 * Whether MATCHES can use it: RE2 syntax, at most 1,000 characters. Asked when a policy is written. One that is too large
 * is not compiled to find out: it is refused as too costly, or judged unknown where it is stored already.
 */
export function isValidPattern(text: string): boolean {
  return text.length <= patternLengthMax && (isTooLarge(text) || compile(text) !== undefined);
}

/** Whether compiling and matching the pattern could hold up everybody else. */
export function isTooLarge(pattern: string): boolean {
  return patternSizeOf(pattern) > patternSizeMax;
}

/** A condition with MATCHES. */
export type PatternCondition = TextCondition & { readonly operator: "MATCHES"; readonly value: string };

/** `folded`: the text is in lower case and is compared without regard to case. */
export interface Subject {
  readonly text: string;
  readonly folded: boolean;
}

/** Whether the pattern is found in the text; undefined when it is not RE2 or too large. Unanchored. */
export function isMatch(
  condition: PatternCondition,
  { text, folded }: Subject,
  facts: SubmissionFacts,
): boolean | undefined {
  const known = matchesOf(facts);
  const name = nameOf(condition.value, text, folded);
  const before = known.get(name);
  if (before !== undefined) return before;
  const pattern = patternOf(condition, folded);
  if (pattern === undefined) return undefined;
  const found = pattern.test(text);
  known.set(name, found);
  return found;
}

/** Whether the pattern can be used at all. */
export function isUsable(condition: PatternCondition): boolean {
  return patternOf(condition, false) !== undefined;
}

/** Matches ahead of the judgement, each pattern and text once per submission, so that a caller can pause in between. */
export function* matchAhead(
  conditions: readonly PatternCondition[],
  textsOf: (condition: PatternCondition) => readonly Subject[],
  facts: SubmissionFacts,
): Work<void> {
  for (const condition of conditions) {
    if (isTooLarge(condition.value)) continue;
    for (const subject of textsOf(condition)) {
      if (matchesOf(facts).has(nameOf(condition.value, subject.text, subject.folded))) continue;
      isMatch(condition, subject, facts);
      yield matchCost(condition.value, subject.text.length);
    }
  }
}

/** In about microseconds: compiling, and a walk through the text. A hostile text can take three times as long. */
export function matchCost(pattern: string, textLength: number): number {
  const size = patternSizeOf(pattern);
  return 1 + size + (size * textLength) / stepsPerMicrosecond;
}

const stepsPerMicrosecond = 50;

/** Every MATCHES among the conditions, the nested ones too. */
export function patternsIn(conditions: readonly Condition[]): readonly PatternCondition[] {
  const known = patternsKnown.get(conditions);
  if (known !== undefined) return known;
  const found = conditions.flatMap(patternsInOne);
  patternsKnown.set(conditions, found);
  return found;
}

const patternsKnown = new WeakMap<readonly Condition[], readonly PatternCondition[]>();

function patternsInOne(condition: Condition): readonly PatternCondition[] {
  if ("anyOf" in condition) return condition.anyOf.flatMap(patternsInOne);
  if ("not" in condition) return patternsInOne(condition.not);
  return isPatternCondition(condition) ? [condition] : [];
}

export function isPatternCondition(condition: Condition): condition is PatternCondition {
  return "operator" in condition && condition.operator === "MATCHES";
}

/** What one submission's facts matched: they do not change, and neither does the answer. */
const matchesKnown = new WeakMap<SubmissionFacts, Map<string, boolean>>();

function matchesOf(facts: SubmissionFacts): Map<string, boolean> {
  const known = matchesKnown.get(facts) ?? new Map<string, boolean>();
  matchesKnown.set(facts, known);
  return known;
}

function nameOf(pattern: string, text: string, isFolded: boolean): string {
  return `${isFolded ? "i" : "="}${pattern.length}:${pattern}${text}`;
}

type Pattern = RE2JS | undefined;

/**
 * Compiled patterns by the condition they stand in: a hundred matches cost less than compiling, and a hostile pattern
 * can hold megabytes, so each is let go together with its policy, or with the dry run that brought it.
 */
const patterns = new WeakMap<TextCondition, { exact?: Pattern; folded?: Pattern }>();

function patternOf(condition: PatternCondition, isFolded: boolean): Pattern {
  const known = patterns.get(condition) ?? {};
  patterns.set(condition, known);
  const form = isFolded ? "folded" : "exact";
  if (!(form in known)) known[form] = compileForm(condition.value, isFolded);
  return known[form];
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
