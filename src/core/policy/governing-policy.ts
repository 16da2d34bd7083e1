import type { Risk } from "./requirement-model.ts";
import type { SubmissionFacts, Truth } from "./conditions.ts";
import type { Scope } from "../values/ids.ts";
import { evaluateInParts, type Verdict } from "./evaluate-conditions.ts";
import type { PolicyIndex } from "./policy-index.ts";
import type { Policy } from "./policy.ts";
import { finish, type Work } from "../values/sliced-work.ts";

/** The policies that hold for one scope, in order of precedence. A deny that holds is the only entry. */
export type MatchingPolicies = readonly Policy[];

/** The decision of the policies for one scope. */
export type PolicySelection =
  | { readonly kind: "policy"; readonly policy: Policy }
  /** Absent when no policy holds and there is no default. */
  | { readonly kind: "denied"; readonly policy?: Policy }
  /** It would govern, but has reached its usage limit. */
  | { readonly kind: "spent"; readonly policy: Policy };

/**
 * First phase: finds the policies that hold. Only their usage limits need to be read from the store. An auto policy
 * needs every condition to be true; approval and deny policies also hold when it is unknown
 * (docs/policies.md#which-policy-governs).
 */
export function* findMatchingPolicies(
  index: PolicyIndex,
  scope: Scope,
  facts: SubmissionFacts,
  risk: Risk | null,
): Work<MatchingPolicies> {
  const matching: Policy[] = [];
  for (const policy of index.candidates(scope)) {
    const { truth } = yield* evaluateInParts(policy.conditions, scope, facts, risk);
    if (mayGovern(policy, truth)) matching.push(policy);
  }
  return orderMatching(matching);
}

/** The same at once. */
export function matchingPolicies(...args: Parameters<typeof findMatchingPolicies>): MatchingPolicies {
  return finish(findMatchingPolicies(...args));
}

/**
 * Second phase: selects the policy that governs. An exhausted auto policy gives way to the next approval policy,
 * never to another auto policy. The default applies only where no policy holds, not in place of an exhausted one.
 */
export function selectPolicy(
  matching: MatchingPolicies,
  defaultPolicy: Policy | undefined,
  isExhausted: (policy: Policy) => boolean,
): PolicySelection {
  const first = matching[0] ?? usableDefault(defaultPolicy);
  if (first === undefined) return { kind: "denied" };
  if (first.effect.kind === "deny") return { kind: "denied", policy: first };
  if (!isExhausted(first)) return { kind: "policy", policy: first };
  const next =
    first.effect.kind === "auto" ? matching.find((policy) => policy.effect.kind === "approval") : undefined;
  if (next === undefined) return { kind: "spent", policy: first };
  return isExhausted(next) ? { kind: "spent", policy: next } : { kind: "policy", policy: next };
}

/** Why this policy was selected. */
export type SelectionReason =
  | "deny_wins"
  | "first_in_order"
  | "stands_in_for_spent"
  | "all_spent"
  | "default"
  | "nothing_holds";

/** How one policy counted for a scope. */
export type PolicyOutcome =
  | "governs"
  | "denies"
  | "spent"
  /** Its conditions are false. */
  | "does_not_hold"
  /** An auto policy with an unknown condition. */
  | "not_certain"
  /** Another policy that holds has precedence. */
  | "outranked"
  /** A deny policy holds. */
  | "overruled"
  /** An auto policy after an exhausted auto policy, which only an approval policy may replace. */
  | "passed_over";

export interface EvaluatedPolicy {
  readonly policy: Policy;
  readonly verdict: Verdict;
  readonly outcome: PolicyOutcome;
}

export interface Explanation {
  readonly scope: Scope;
  readonly selection: PolicySelection;
  readonly reason: SelectionReason;
  /** Every enabled policy, in order of precedence. */
  readonly policies: readonly EvaluatedPolicy[];
}

/**
 * For the dry run: the same selection, with the verdict of every enabled policy. `policies` is ordered by {@link
 * inPrecedence}.
 */
export function* explainInParts(
  policies: readonly Policy[],
  defaultPolicy: Policy | undefined,
  scope: Scope,
  facts: SubmissionFacts,
  risk: Risk | null,
  isExhausted: (policy: Policy) => boolean,
): Work<Explanation> {
  const evaluated: { readonly policy: Policy; readonly verdict: Verdict }[] = [];
  for (const policy of policies) {
    const verdict = yield* evaluateInParts(policy.conditions, scope, facts, risk);
    evaluated.push({ policy, verdict });
  }
  const matching = orderMatching(
    evaluated.filter(({ policy, verdict }) => mayGovern(policy, verdict.truth)).map(({ policy }) => policy),
  );
  const ranks = new Map(matching.map((policy, rank) => [policy, rank]));
  const selection = selectPolicy(matching, defaultPolicy, isExhausted);
  return {
    scope,
    selection,
    reason: reasonOf(selection, matching),
    policies: evaluated.map(({ policy, verdict }) => ({
      policy,
      verdict,
      outcome: mayGovern(policy, verdict.truth)
        ? policyOutcomeOf(policy, selection, ranks)
        : verdict.truth === "false"
          ? "does_not_hold"
          : "not_certain",
    })),
  };
}

/** The same at once. */
export function explain(policies: readonly Policy[], ...args: EvaluationInputs): Explanation {
  return finish(explainInParts(inPrecedence(policies), ...args));
}

type EvaluationInputs = Parameters<typeof explainInParts> extends [unknown, ...infer Rest] ? Rest : never;

/** The enabled policies, in order of precedence. */
export function inPrecedence(policies: readonly Policy[]): readonly Policy[] {
  return policies.filter((policy) => policy.enabled).toSorted(comparePrecedence);
}

function reasonOf(selection: PolicySelection, matching: MatchingPolicies): SelectionReason {
  if (matching.length === 0) return selection.policy === undefined ? "nothing_holds" : "default";
  if (selection.kind === "denied") return "deny_wins";
  if (selection.kind === "spent") return "all_spent";
  return selection.policy === matching[0] ? "first_in_order" : "stands_in_for_spent";
}

/** The outcome of a policy that holds. */
function policyOutcomeOf(
  policy: Policy,
  selection: PolicySelection,
  ranks: ReadonlyMap<Policy, number>,
): PolicyOutcome {
  if (policy === selection.policy) {
    return selection.kind === "policy" ? "governs" : selection.kind === "denied" ? "denies" : "spent";
  }
  if (selection.kind === "denied") return "overruled";
  const rank = ranks.get(policy) ?? -1;
  if (rank === 0) return "spent";
  const selectedRank = ranks.get(selection.policy) ?? -1;
  const isBeforeSelected = selectedRank !== 0 && rank < selectedRank;
  const hasNoSubstitute = selection.policy.effect.kind === "auto" && selection.kind === "spent";
  return isBeforeSelected || hasNoSubstitute ? "passed_over" : "outranked";
}

/** The default policy, unless it is auto: access that no policy names is never approved without a person. */
function usableDefault(policy: Policy | undefined): Policy | undefined {
  return policy?.enabled === true && policy.effect.kind !== "auto" ? policy : undefined;
}

function mayGovern(policy: Policy, truth: Truth): boolean {
  return truth === "true" || (truth === "unknown" && policy.effect.kind !== "auto");
}

function orderMatching(policies: readonly Policy[]): MatchingPolicies {
  const sorted = policies.toSorted(comparePrecedence);
  const deny = sorted.find((policy) => policy.effect.kind === "deny");
  return deny === undefined ? sorted : [deny];
}

/** Orders by priority, then strictness, then name. The result never depends on the order of reading. */
function comparePrecedence(a: Policy, b: Policy): number {
  return b.priority - a.priority || strictness(b) - strictness(a) || compareCodePoints(a.name, b.name);
}

function strictness(policy: Policy): number {
  return { auto: 0, approval: 1, deny: 2 }[policy.effect.kind];
}

function compareCodePoints(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let index = 0; index < length; index++) {
    if (a.charCodeAt(index) !== b.charCodeAt(index)) {
      return (a.codePointAt(index) ?? 0) - (b.codePointAt(index) ?? 0);
    }
  }
  return a.length - b.length;
}
