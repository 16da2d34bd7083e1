import type { Condition } from "./conditions.ts";
import type { Rulebook, Rules } from "./policy.ts";

/** A condition that holds no others. */
export type Leaf = Exclude<Condition, { readonly anyOf: unknown } | { readonly not: unknown }>;

export interface PlacedLeaf {
  /** From the root of what was written to the condition. */
  readonly path: readonly string[];
  readonly leaf: Leaf;
}

/** Conditions that hold together, and where they are written. */
export interface PlacedConditions {
  readonly path: readonly string[];
  readonly conditions: readonly Condition[];
}

/** Everything in force that has conditions, with its place in the file. */
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

/** Every condition without others inside, wherever it stands. */
export function leavesIn({ path, conditions }: PlacedConditions): readonly PlacedLeaf[] {
  return conditions.flatMap((condition, index) => leavesOf(condition, [...path, String(index)]));
}

function leavesOf(condition: Condition, path: readonly string[]): readonly PlacedLeaf[] {
  if ("anyOf" in condition) return leavesIn({ path: [...path, "anyOf"], conditions: condition.anyOf });
  if ("not" in condition) return leavesOf(condition.not, [...path, "not"]);
  return [{ path, leaf: condition }];
}
