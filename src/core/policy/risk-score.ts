import type { Risk } from "./requirement-model.ts";
import type { SubmissionFacts } from "./conditions.ts";
import type { Scope } from "../values/ids.ts";
import { evaluateInParts } from "./evaluate-conditions.ts";
import type { RiskRule } from "./policy.ts";
import { finish, type Work } from "../values/sliced-work.ts";

/**
 * How risky a request is, 0 to 100; null without rules, which leaves conditions on it unknown (contract §4). A rule
 * counts once, when it holds for any scope. One whose conditions cannot be known counts too, as too high a score only
 * asks more people; so does a rule about the risk itself, which parsing refuses.
 */
export function* findRisk(
  rules: readonly RiskRule[],
  scopes: readonly Scope[],
  facts: SubmissionFacts,
): Work<Risk | null> {
  if (rules.length === 0) return null;
  const factors: { readonly name: string; readonly points: number }[] = [];
  for (const { name, points, when } of rules) {
    if (yield* holdsForAny(when, scopes, facts)) factors.push({ name, points });
  }
  const sum = factors.reduce((total, factor) => total + factor.points, 0);
  return { score: Math.min(riskMax, Math.max(0, sum)), factors };
}

const riskMax = 100;

/** The same at once. */
export function riskOf(...asked: Parameters<typeof findRisk>): Risk | null {
  return finish(findRisk(...asked));
}

function* holdsForAny(
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
