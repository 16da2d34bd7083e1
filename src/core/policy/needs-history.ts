import type { Condition } from "./conditions.ts";
import type { Rulebook } from "./policy.ts";

/** Whether any rule asks about the past. If none does, no history is read. */
export function needsHistory({ policies, rules }: Pick<Rulebook, "policies" | "rules">): boolean {
  const { defaultPolicy, risk, breakGlass } = rules;
  return [
    ...policies.flatMap((policy) => policy.conditions),
    ...(defaultPolicy?.conditions ?? []),
    ...risk.flatMap((rule) => rule.when),
    ...breakGlass.conditions,
  ].some(isAboutThePast);
}

function isAboutThePast(condition: Condition): boolean {
  if ("anyOf" in condition) return condition.anyOf.some(isAboutThePast);
  if ("not" in condition) return isAboutThePast(condition.not);
  switch (condition.type) {
    case "PREVIOUS_ACCESS":
    case "RECENT_DENIALS":
    case "RECENT_REQUESTS":
      return true;
    case "RESOURCE":
    case "ACTION":
    case "SCOPE":
    case "IDENTITY":
    case "GROUP":
    case "KIND":
    case "REASON":
    case "TICKET":
    case "DURATION":
    case "RISK_SCORE":
    case "TIME":
      return false;
  }
}
