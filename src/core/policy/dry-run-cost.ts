import type { Condition } from "./conditions.ts";
import { matchCost, patternsIn, type PatternCondition } from "./pattern-matching.ts";
import type { Policy } from "./policy.ts";

/** The most a dry run may cost, in roughly microseconds. */
export const dryRunCostMax = 2_000_000;

/** Evaluating and printing one condition for one scope; a nested condition is printed once per level. */
const verdictCost = 10;
const listValueCost = 1;
/** The longest possible scope. */
const scopeLengthMax = 161;

/**
 * Estimates an upper bound for explaining these policies, before any is evaluated. A text that does not depend on the
 * scope is matched once.
 */
export function dryRunCost(
  policies: readonly Pick<Policy, "conditions" | "enabled">[],
  scopes: number,
  reasonLength: number,
): number {
  let cost = 0;
  const countedPatterns = new Set<string>();
  for (const { conditions, enabled } of policies) {
    if (!enabled) continue;
    cost += scopes * verdictCost * (1 + printCostOfAll(conditions, 1));
    for (const condition of patternsIn(conditions)) {
      const key = `${condition.type}:${condition.value}`;
      if (countedPatterns.has(key)) continue;
      countedPatterns.add(key);
      cost += patternCost(condition, scopes, reasonLength);
    }
  }
  return cost;
}

function patternCost({ type, value }: PatternCondition, scopes: number, reasonLength: number): number {
  switch (type) {
    case "SCOPE":
    case "RESOURCE":
    case "ACTION":
      return scopes * matchCost(value, scopeLengthMax);
    case "REASON":
      return matchCost(value, reasonLength);
    case "IDENTITY":
    case "GROUP":
    case "KIND":
    case "TICKET":
      return matchCost(value, otherLengthMax);
  }
}

/** Covers the groups of most people; an address or a ticket is shorter. */
const otherLengthMax = 2_000;

function printCostOfAll(conditions: readonly Condition[], level: number): number {
  return conditions.reduce((sum, condition) => sum + printCostOf(condition, level), 0);
}

function printCostOf(condition: Condition, level: number): number {
  if ("anyOf" in condition) return level + printCostOfAll(condition.anyOf, level + 1);
  if ("not" in condition) return level + printCostOf(condition.not, level + 1);
  const values = "value" in condition && Array.isArray(condition.value) ? condition.value.length : 1;
  return level * (1 + (values * listValueCost) / verdictCost);
}
