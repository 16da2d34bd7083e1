import type { Risk } from "./access-request.ts";
import type { SubmissionFacts } from "./conditions.ts";
import type { Scope } from "./ids.ts";
import { judge } from "./judging.ts";
import type { RiskRule } from "./policy.ts";

/**
 * How risky a request is, 0 to 100; null without rules, which leaves conditions on it unknown (contract §4). A rule
 * counts once, when it holds for any scope. One whose conditions cannot be known counts too, as too high a score only
 * asks more people; so does a rule about the risk itself, which parsing refuses.
 */
export function riskOf(
  rules: readonly RiskRule[],
  scopes: readonly Scope[],
  facts: SubmissionFacts,
): Risk | null {
  if (rules.length === 0) return null;
  const factors = rules
    .filter((rule) => scopes.some((scope) => judge(rule.when, scope, facts, null).truth !== "false"))
    .map(({ name, points }) => ({ name, points }));
  const sum = factors.reduce((total, factor) => total + factor.points, 0);
  return { score: Math.min(riskMax, Math.max(0, sum)), factors };
}

const riskMax = 100;
