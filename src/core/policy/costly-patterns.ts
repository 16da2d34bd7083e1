import type { Condition } from "./conditions.ts";
import { isPatternCondition, patternsIn } from "./pattern-matching.ts";
import { patternSizeMax, patternSizeOf, patternSizesMax } from "./pattern-size.ts";
import type { Policy, Rules } from "./policy.ts";
import { refuse, type PlacedProblem, type Refusal } from "../values/refusals.ts";

/** A pattern, or a list of conditions, whose patterns cost too much. */
export interface CostlyPattern extends PlacedProblem {
  readonly kind: "pattern" | "list";
  readonly patterns: readonly string[];
}

/** Finds the patterns above the budget. `path` is the path of the conditions. */
export function costlyPatterns(
  conditions: readonly Condition[],
  path: readonly string[],
): readonly CostlyPattern[] {
  const placed = conditions.flatMap((condition, index) => patternsAt(condition, [...path, String(index)]));
  const large = placed.filter(({ size }) => size > patternSizeMax).map(tooLarge);
  const sum = placed.reduce((total, { size }) => total + (size > patternSizeMax ? 0 : size), 0);
  if (sum <= patternSizesMax) return large;
  return [
    ...large,
    {
      kind: "list",
      path,
      patterns: placed.map(({ pattern }) => pattern),
      message: `has patterns that compile to about ${formatCount(sum)} steps together, at most ${formatCount(patternSizesMax)}: use fewer, or fewer repetitions`,
    },
  ];
}

/** The same for the policies and rules of a configuration file. */
export function costlyPatternsOf(
  policies: readonly Pick<Policy, "conditions">[],
  rules: Pick<Rules, "risk" | "breakGlass">,
): readonly CostlyPattern[] {
  return [
    ...policies.flatMap(({ conditions }, index) =>
      costlyPatterns(conditions, ["policies", String(index), "conditions"]),
    ),
    ...rules.risk.flatMap(({ when }, index) => costlyPatterns(when, ["risk", String(index), "when"])),
    ...costlyPatterns(rules.breakGlass.conditions, ["breakGlass", "conditions"]),
  ];
}

/** Drops findings whose patterns are all stored already: a stored pattern stays and evaluates to unknown. */
export function newlyCostly(
  found: readonly CostlyPattern[],
  stored: readonly (readonly Condition[])[],
): readonly CostlyPattern[] {
  const known = new Set(stored.flatMap(patternsIn).map(({ value }) => value));
  return found.filter(({ patterns }) => !patterns.every((pattern) => known.has(pattern)));
}

/** Refuses a change that contains costly patterns; undefined when there are none. */
export function refuseCostly(found: readonly CostlyPattern[]): Refusal | undefined {
  if (found.length === 0) return undefined;
  const errors = found.map(({ path, message }) => ({ path: path.join("."), message }));
  return refuse("too_costly", "Matching these patterns could hold up everybody else.", { errors });
}

interface PlacedPattern {
  readonly path: readonly string[];
  readonly pattern: string;
  readonly size: number;
}

function patternsAt(condition: Condition, path: readonly string[]): readonly PlacedPattern[] {
  if ("anyOf" in condition) {
    return condition.anyOf.flatMap((inner, index) => patternsAt(inner, [...path, "anyOf", String(index)]));
  }
  if ("not" in condition) return patternsAt(condition.not, [...path, "not"]);
  if (!isPatternCondition(condition)) return [];
  const { value } = condition;
  return [{ path: [...path, "value"], pattern: value, size: patternSizeOf(value) }];
}

function tooLarge({ path, pattern, size }: PlacedPattern): CostlyPattern {
  return {
    kind: "pattern",
    path,
    patterns: [pattern],
    message: `compiles to about ${formatCount(size)} steps, at most ${formatCount(patternSizeMax)}: use fewer or smaller repetitions such as {900}`,
  };
}

function formatCount(count: number): string {
  return count.toLocaleString("en");
}
