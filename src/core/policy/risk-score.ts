import type { Risk } from "./requirement-model.ts";
import type { SubmissionFacts } from "./conditions.ts";
import type { Scope } from "../values/ids.ts";
import { evaluateInParts } from "./evaluate-conditions.ts";
import type { RiskRule } from "./policy.ts";
import { finish, type Work } from "../values/sliced-work.ts";

/**
 * The risk of a request, 0 to 100. Null without rules, so that conditions on it are unknown (docs/policies.md#risk).
 * A rule counts once, when it holds for any scope. A rule with unknown conditions counts too, because a score that is
 * too high only asks more people. So does a rule about the risk itself, which parsing refuses.
 */
export function* findRisk(
  rules: readonly RiskRule[],
  scopes: readonly Scope[],
  facts: SubmissionFacts,
): Work<Risk | null> {
  if (rules.length === 0) return null;
  const factors: { readonly name: string; readonly points: number }[] = [];
  for (const { name, points, when } of rules) {
    if (yield* mayHoldForAny(when, scopes, facts)) factors.push({ name, points });
  }
  const sum = factors.reduce((total, factor) => total + factor.points, 0);
  return { score: Math.min(riskMax, Math.max(0, sum)), factors };
}

const riskMax = 100;

/** The same, all at once. */
export function riskOf(...args: Parameters<typeof findRisk>): Risk | null {
  return finish(findRisk(...args));
}

function* mayHoldForAny(
  when: RiskRule["when"],
  scopes: readonly Scope[],
  facts: SubmissionFacts,
): Work<boolean> {
  for (const scope of scopes) {
    const { truth } = yield* evaluateInParts(when, scope, facts, null);
    if (truth !== "false") return true;
  }
  return false;
}
