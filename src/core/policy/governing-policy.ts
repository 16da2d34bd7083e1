import type { Risk } from "./requirement-model.ts";
import type { SubmissionFacts, Truth } from "./conditions.ts";
import type { Scope } from "../values/ids.ts";
import { evaluateInParts, type Verdict } from "./evaluate-conditions.ts";
import type { PolicyIndex } from "./policy-index.ts";
import type { Policy } from "./policy.ts";
import { finish, type Work } from "../values/sliced-work.ts";

/** The policies that hold for one scope, in order of precedence; a deny that holds stands alone. */
export type MatchingPolicies = readonly Policy[];

/** What the policies say to one scope. */
export type PolicySelection =
  | { readonly kind: "policy"; readonly policy: Policy }
  /** Without a policy: none holds and there is no default. */
  | { readonly kind: "denied"; readonly policy?: Policy }
  /** It would govern, and has been used as often as it allows. */
  | { readonly kind: "spent"; readonly policy: Policy };

/**
 * First phase: which policies hold. Whether one of them is spent only the store knows, and only these need asking.
 * Auto-approval must hold for certain; approval and deny policies also hold when it cannot be known (contract §4).
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
  return inOrder(matching);
}

/** The same at once. */
export function matchingPolicies(...asked: Parameters<typeof findMatchingPolicies>): MatchingPolicies {
  return finish(findMatchingPolicies(...asked));
}

/**
 * Second phase: which one governs. A spent auto policy gives way to the next approval policy, never to another auto
 * one; the default stands in only where no policy holds, not for a spent one.
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
    first.effect.kind === "auto" ? matching.find((one) => one.effect.kind === "approval") : undefined;
  if (next === undefined) return { kind: "spent", policy: first };
  return isExhausted(next) ? { kind: "spent", policy: next } : { kind: "policy", policy: next };
}

/** Why the choice fell as it did. */
export type SelectionReason =
  | "deny_wins"
  | "first_in_order"
  | "stands_in_for_spent"
  | "all_spent"
  | "default"
  | "nothing_holds";

/** How one policy stands towards one scope. */
export type PolicyOutcome =
  | "governs"
  | "denies"
  | "spent"
  /** Its conditions do not hold. */
  | "does_not_hold"
  /** An auto policy, and something it asks cannot be known. */
  | "not_certain"
  /** Another that holds comes before it. */
  | "outranked"
  /** A deny holds. */
  | "overruled"
  /** An auto policy after a spent auto policy, which only an approval policy stands in for. */
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

/** For the dry run: the same choice as above, with every enabled policy judged aloud. `policies` as {@link inPrecedence} orders them. */
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
  const matching = inOrder(
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
export function explain(policies: readonly Policy[], ...asked: EvaluationInputs): Explanation {
  return finish(explainInParts(inPrecedence(policies), ...asked));
}

type EvaluationInputs = Parameters<typeof explainInParts> extends [unknown, ...infer Rest] ? Rest : never;

/** Those that are enabled, in order of precedence. */
export function inPrecedence(policies: readonly Policy[]): readonly Policy[] {
  return policies.filter((policy) => policy.enabled).toSorted(byPrecedence);
}

function reasonOf(selection: PolicySelection, matching: MatchingPolicies): SelectionReason {
  if (matching.length === 0) return selection.policy === undefined ? "nothing_holds" : "default";
  if (selection.kind === "denied") return "deny_wins";
  if (selection.kind === "spent") return "all_spent";
  return selection.policy === matching[0] ? "first_in_order" : "stands_in_for_spent";
}

/** Of a policy that holds. */
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
  const chosenRank = ranks.get(selection.policy) ?? -1;
  const isBeforeChosen = chosenRank !== 0 && rank < chosenRank;
  const isWithoutStandIn = selection.policy.effect.kind === "auto" && selection.kind === "spent";
  return isBeforeChosen || isWithoutStandIn ? "passed_over" : "outranked";
}

/** Never auto, whatever was configured: what no policy names is not approved unseen. */
function usableDefault(policy: Policy | undefined): Policy | undefined {
  return policy?.enabled === true && policy.effect.kind !== "auto" ? policy : undefined;
}

function mayGovern(policy: Policy, truth: Truth): boolean {
  return truth === "true" || (truth === "unknown" && policy.effect.kind !== "auto");
}

function inOrder(policies: readonly Policy[]): MatchingPolicies {
  const sorted = policies.toSorted(byPrecedence);
  const deny = sorted.find((policy) => policy.effect.kind === "deny");
  return deny === undefined ? sorted : [deny];
}

/** Priority, then the stricter, then the name, so that the order never depends on how policies were read. */
function byPrecedence(a: Policy, b: Policy): number {
  return b.priority - a.priority || strictness(b) - strictness(a) || byCodePoints(a.name, b.name);
}

function strictness(policy: Policy): number {
  return { auto: 0, approval: 1, deny: 2 }[policy.effect.kind];
}

function byCodePoints(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let at = 0; at < length; at++) {
    if (a.charCodeAt(at) !== b.charCodeAt(at)) return (a.codePointAt(at) ?? 0) - (b.codePointAt(at) ?? 0);
  }
  return a.length - b.length;
}
