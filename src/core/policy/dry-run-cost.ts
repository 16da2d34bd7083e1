import type { Condition } from "./conditions.ts";
import { matchCost, patternsIn, type PatternCondition } from "./pattern-matching.ts";
import type { Policy } from "./policy.ts";

/** What a dry run may cost, in about microseconds. */
export const dryRunCostMax = 2_000_000;

/** Judging and printing one condition for one scope; nested ones are printed once for each level. */
const verdictCost = 10;
const listValueCost = 1;
/** The longest scope and resource. */
const scopeLengthMax = 161;

/**
 * At most about what explaining these policies for so many scopes costs, known before anything is judged. A text that does
 * not vary by scope is matched once.
 */
export function dryRunCost(
  policies: readonly Pick<Policy, "conditions" | "enabled">[],
  scopes: number,
  reasonLength: number,
): number {
  let cost = 0;
  const counted = new Set<string>();
  for (const { conditions, enabled } of policies) {
    if (!enabled) continue;
    cost += scopes * verdictCost * (1 + printedIn(conditions, 1));
    for (const condition of patternsIn(conditions)) {
      const name = `${condition.type}:${condition.value}`;
      if (counted.has(name)) continue;
      counted.add(name);
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

/** A person's groups together, in most cases; an address or a ticket is shorter. */
const otherLengthMax = 2_000;

function printedIn(conditions: readonly Condition[], level: number): number {
  return conditions.reduce((sum, one) => sum + printedOf(one, level), 0);
}

function printedOf(condition: Condition, level: number): number {
  if ("anyOf" in condition) return level + printedIn(condition.anyOf, level + 1);
  if ("not" in condition) return level + printedOf(condition.not, level + 1);
  const values = "value" in condition && Array.isArray(condition.value) ? condition.value.length : 1;
  return level * (1 + (values * listValueCost) / verdictCost);
}
