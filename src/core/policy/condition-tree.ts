import type { Condition, LeafCondition } from "./conditions.ts";
import type { Rulebook, Rules } from "./policy.ts";

export interface PlacedLeaf {
  /** Path from the root of the file or document to the condition. */
  readonly path: readonly string[];
  readonly leaf: LeafCondition;
}

/** A list of conditions that are all required, and its path. */
export interface PlacedConditions {
  readonly path: readonly string[];
  readonly conditions: readonly Condition[];
}

/** All condition lists in force, with their paths in the file. */
export function conditionsIn({
  policies,
  rules,
}: {
  readonly policies: readonly Pick<Rulebook["policies"][number], "enabled" | "conditions">[];
  readonly rules: Rules;
}): readonly PlacedConditions[] {
  return [
    ...policies.flatMap(({ enabled, conditions }, index) =>
      enabled ? [{ path: ["policies", String(index), "conditions"], conditions }] : [],
    ),
    ...rules.risk.map(({ when }, index) => ({ path: ["risk", String(index), "when"], conditions: when })),
    ...(rules.breakGlass.allowed.length === 0
      ? []
      : [{ path: ["breakGlass", "conditions"], conditions: rules.breakGlass.conditions }]),
  ];
}

/** Every leaf condition, at any depth. */
export function leavesIn({ path, conditions }: PlacedConditions): readonly PlacedLeaf[] {
  return conditions.flatMap((condition, index) => leavesOf(condition, [...path, String(index)]));
}

function leavesOf(condition: Condition, path: readonly string[]): readonly PlacedLeaf[] {
  if ("anyOf" in condition) return leavesIn({ path: [...path, "anyOf"], conditions: condition.anyOf });
  if ("not" in condition) return leavesOf(condition.not, [...path, "not"]);
  return [{ path, leaf: condition }];
}
