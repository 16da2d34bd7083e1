import type { Condition } from "./conditions.ts";
import { isPatternCondition, patternsIn } from "./pattern-matching.ts";
import { patternSizeMax, patternSizeOf, patternSizesMax } from "./pattern-size.ts";
import type { Policy, Rules } from "./policy.ts";
import { refuse, type PlacedProblem, type Refusal } from "../values/refusals.ts";

/** A pattern that costs too much, or a list whose patterns do so together. */
export interface CostlyPattern extends PlacedProblem {
  readonly kind: "pattern" | "list";
  readonly patterns: readonly string[];
}

/** Everything in these conditions whose cost is above the budget. `path`: where they stand. */
export function costlyPatterns(
  conditions: readonly Condition[],
  path: readonly string[],
): readonly CostlyPattern[] {
  const placed = conditions.flatMap((one, index) => patternsAt(one, [...path, String(index)]));
  const large = placed.filter(({ size }) => size > patternSizeMax).map(tooLarge);
  const sum = placed.reduce((total, { size }) => total + (size > patternSizeMax ? 0 : size), 0);
  if (sum <= patternSizesMax) return large;
  return [
    ...large,
    {
      kind: "list",
      path,
      patterns: placed.map(({ pattern }) => pattern),
      message: `has patterns that compile to about ${inDigits(sum)} steps together, at most ${inDigits(patternSizesMax)}: use fewer, or fewer repetitions`,
    },
  ];
}

/** The same for policies and rules as a configuration file has them. */
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

/** Without those whose patterns are all stored in these lists already: a stored one goes on, judged unknown. */
export function newlyCostly(
  found: readonly CostlyPattern[],
  stored: readonly (readonly Condition[])[],
): readonly CostlyPattern[] {
  const known = new Set(stored.flatMap(patternsIn).map(({ value }) => value));
  return found.filter(({ patterns }) => !patterns.every((one) => known.has(one)));
}

/** Undefined when nothing costs too much. */
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
    return condition.anyOf.flatMap((one, index) => patternsAt(one, [...path, "anyOf", String(index)]));
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
    message: `compiles to about ${inDigits(size)} steps, at most ${inDigits(patternSizeMax)}: use fewer or smaller repetitions such as {900}`,
  };
}

function inDigits(count: number): string {
  return count.toLocaleString("en");
}
