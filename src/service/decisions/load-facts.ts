import type { AccessRequest } from "../../core/access/access-request.ts";
import type { History, SubmissionFacts } from "../../core/policy/conditions.ts";
import {
  selectPolicy,
  findMatchingPolicies,
  type MatchingPolicies,
} from "../../core/policy/governing-policy.ts";
import type { IdentityId, Instant, Scope } from "../../core/values/ids.ts";
import {
  accountIn,
  directoryOf,
  linkName,
  selectorKey,
  type GroupMembers,
  type Identity,
  type Selector,
} from "../../core/values/identity.ts";
import type { Policy } from "../../core/policy/policy.ts";
import { isRefusal, refuse, type Refusal, type RefusalCode } from "../../core/values/refusals.ts";
import { findRisk } from "../../core/policy/risk-score.ts";
import type { Assessment } from "../../core/access/assessment.ts";
import type { AccessHold } from "../guards/access-hold.ts";
import type { RequestChanges } from "../ports/request-changes.ts";
import type { Connectors } from "../ports/connector.ts";
import type { ConnectorAddresses } from "../ports/connector-registry.ts";
import { useKey } from "./counters.ts";
import type { Expectation, HeadComparison, Store } from "../ports/store.ts";
import type { Runtime } from "../ports/runtime.ts";
import type { IndexedRulebook, RulebookReader } from "./rulebook-reader.ts";
import { covers, idsIn, selectorsIn, type LoadedPeople } from "./loaded-people.ts";
import type { Slices } from "../async/time-slices.ts";
import type { Surfaces } from "../messaging/surfaces.ts";
import type { Freshness, MembersFound, UserGroupReader } from "../ports/user-groups.ts";

/** What every service depends on. Created once, with the application. */
export interface ServiceContext {
  readonly store: Store;
  /** Wakes readers that wait for a request to change. */
  readonly requestChanges: RequestChanges;
  readonly runtime: Runtime;
  /** Checked before a secret is created at a target. Every commit that grants access checks it as well. */
  readonly accessHold: AccessHold;
  /** Compares the audit log with the last seen head. */
  readonly checkAuditHead: () => Promise<HeadComparison>;
  readonly rulebook: RulebookReader;
  /** Evaluation pauses between slices, so that one caller's rules delay nobody else. */
  readonly slices: Slices;
  /** The surfaces of this installation. */
  readonly surfaces: Surfaces;
  /** Slack's user groups; absent without Slack. */
  readonly userGroups?: UserGroupReader;
  /** By name. Called each time, because a reload replaces them. */
  readonly connectors: Connectors;
  /** Connectors that differ from the configuration; absent where that is impossible. */
  readonly addresses?: ConnectorAddresses;
}

type PeopleContext = Pick<ServiceContext, "store" | "rulebook" | "userGroups">;

export interface PeopleOptions {
  readonly freshness?: Freshness;
  /** The rules in force, where the caller has read them. */
  readonly rules?: IndexedRulebook;
}

/** Everyone these ids and selectors mean, read in one moment. `freshness`: "verify" for a decision. */
export async function loadPeople(
  context: PeopleContext,
  ids: readonly IdentityId[],
  selectors: readonly Selector[],
  { freshness = "cached", rules }: PeopleOptions = {},
): Promise<LoadedPeople> {
  const { members, unknown } = await groupMembers(context, selectors, freshness, rules);
  const links = [...new Set([...members.values()].flat())];
  const people = await context.store.people({ ids, selectors, links });
  const linked = new Map(
    people.flatMap(({ value }) => {
      const account = accountIn(value.links, "slack");
      return account === undefined ? [] : [[linkName(account), value.id] as const];
    }),
  );
  const inGroups: GroupMembers = new Map(
    [...members].map(([id, names]) => [id, new Set(names.flatMap((name) => linked.get(name) ?? []))]),
  );
  return {
    directory: directoryOf(
      people.map((one) => one.value),
      inGroups,
    ),
    identities: new Map(people.map((one) => [one.value.id, one])),
    ids: new Set(ids),
    selectorKeys: new Set(selectors.map(selectorKey)),
    unknownGroups: unknown,
  };
}

/** Everyone that these requests name; `known` where it includes them all. */
export async function loadPeopleOf(
  context: PeopleContext,
  requests: readonly AccessRequest[],
  known?: LoadedPeople,
): Promise<LoadedPeople> {
  if (known !== undefined && requests.every((request) => covers(known, request))) return known;
  return loadPeople(context, requests.flatMap(idsIn), requests.flatMap(selectorsIn));
}

const nobody: MembersFound = { members: new Map(), unknown: [] };

/**
 * Members of the user groups among these selectors, if the configuration trusts Slack (docs/chat.md#slack-user-groups).
 */
async function groupMembers(
  { rulebook, userGroups }: PeopleContext,
  selectors: readonly Selector[],
  freshness: Freshness,
  rules?: IndexedRulebook,
): Promise<MembersFound> {
  const ids = new Set(selectors.flatMap((one) => (one.kind === "slack-usergroup" ? [one.id] : [])));
  if (ids.size === 0 || userGroups === undefined) return nobody;
  const { trustSlackUserGroups } = (rules ?? (await rulebook())).book.rules;
  return trustSlackUserGroups ? userGroups.find([...ids], freshness) : nobody;
}

/** The user groups in the policies that this person belongs to, from the cache; for lists. */
export async function userGroupsOf(context: PeopleContext, person: Identity): Promise<readonly string[]> {
  const account = accountIn(person.links, "slack");
  if (context.userGroups === undefined || account === undefined) return [];
  const rules = await context.rulebook();
  const { members } = await groupMembers(context, rules.userGroupSelectors, "cached", rules);
  const own = linkName(account);
  return [...members].flatMap(([id, names]) => (names.includes(own) ? [id] : []));
}

const settledByGroups: ReadonlySet<RefusalCode> = new Set([
  "not_an_approver",
  "not_a_reviewer",
  "no_approvers",
  "break_glass_not_allowed",
]);

/**
 * Replaces a refusal by "cannot verify" if unknown Slack group members might have changed it. Fails closed, without
 * telling people that they lack a right we could not check.
 */
export function refuseIfUnverified<T>(decision: T | Refusal, { unknownGroups }: LoadedPeople): T | Refusal {
  const isGuess = unknownGroups.length > 0 && isRefusal(decision) && settledByGroups.has(decision.refused);
  if (!isGuess) return decision;
  return refuse(
    "store_unavailable",
    "Slack user groups cannot be checked right now, so it cannot be verified that you may do this. Nothing was changed.",
    { retryAfterSeconds: 30 },
  );
}

export interface Assessed {
  readonly assessment: Assessment;
  readonly facts: SubmissionFacts;
  readonly isExhausted: (policy: Policy) => boolean;
  readonly expects: readonly Expectation[];
  readonly rules: IndexedRulebook;
}

/** Evaluates these facts by the policies in force: the risk, and which policy governs each scope. */
export async function assess(
  { store, runtime, slices }: ServiceContext,
  rules: IndexedRulebook,
  scopes: readonly Scope[],
  submission: Omit<SubmissionFacts, "history">,
  frozenRisk?: AccessRequest["risk"],
): Promise<Assessed> {
  const { book, index } = rules;
  const history = rules.needsHistory
    ? await store.history(submission.subject.id, scopes, submission.submittedAt)
    : noHistory;
  const facts: SubmissionFacts = { ...submission, history };
  const risk =
    frozenRisk === undefined ? await slices.run(findRisk(book.rules.risk, scopes, facts)) : frozenRisk;
  const matching: { readonly scope: Scope; readonly matching: MatchingPolicies }[] = [];
  for (const scope of scopes) {
    matching.push({ scope, matching: await slices.run(findMatchingPolicies(index, scope, facts, risk)) });
  }
  const exhausted = await exhaustedAmong(
    store,
    [...matching.flatMap((one) => one.matching), book.rules.defaultPolicy],
    runtime.now(),
  );
  const isExhausted = (policy: Policy): boolean => exhausted.has(policy);
  return {
    assessment: {
      risk,
      selections: matching.map((one) => ({
        scope: one.scope,
        selection: selectPolicy(one.matching, book.rules.defaultPolicy, isExhausted),
      })),
    },
    facts,
    isExhausted,
    expects: [{ kind: "rulebook", id: "rulebook", version: book.version }],
    rules,
  };
}

/** Used when no rule needs the history. */
const noHistory: History = { startedAt: () => [], deniedAt: [], requestedAt: [] };

async function exhaustedAmong(
  store: Store,
  policies: readonly (Policy | undefined)[],
  now: Instant,
): Promise<Set<Policy>> {
  const exhausted = new Set<Policy>();
  for (const policy of new Set(policies)) {
    if (policy?.maxUsage === undefined) continue;
    const used = await store.used(useKey({ policyId: policy.id }), now, policy.usagePeriodMs);
    if (used >= policy.maxUsage) exhausted.add(policy);
  }
  return exhausted;
}

/** The facts at the submission of a stored request, to evaluate them by the policies in force. */
export function submissionOf(request: AccessRequest): Omit<SubmissionFacts, "history"> {
  return {
    subject: request.subjectAtSubmission,
    reason: request.reason,
    durationMs: request.extension?.totalMs ?? request.durationMs,
    submittedAt: request.requestedAt,
    ...(request.ticket !== undefined && { ticket: request.ticket }),
  };
}

/** Every approver that the governing policies name, to be loaded into the directory. */
export function approversNamed(current: Assessed): readonly Selector[] {
  return current.assessment.selections.flatMap(({ selection }) =>
    selection.kind === "policy" && selection.policy.effect.kind === "approval"
      ? selection.policy.effect.approval.stages.flatMap((stage) => [
          ...stage.approvers,
          ...stage.escalateTo.flat(),
        ])
      : [],
  );
}
