import type { AccessRequest } from "../../core/access/access-request.ts";
import type { History, SubmissionFacts } from "../../core/policy/conditions.ts";
import {
  selectPolicy,
  findMatchingPolicies,
  type MatchingPolicies,
} from "../../core/policy/governing-policy.ts";
import type { IdentityId, Instant, RequestId, Scope } from "../../core/values/ids.ts";
import {
  accountIn,
  directoryOf,
  linkName,
  type Directory,
  type GroupMembers,
  type Identity,
  type Selector,
} from "../../core/values/identity.ts";
import type { Policy } from "../../core/policy/policy.ts";
import { isRefusal, refuse, type Refusal, type RefusalCode } from "../../core/values/refusals.ts";
import { stagesOf } from "../../core/policy/requirement.ts";
import { findRisk } from "../../core/policy/risk-score.ts";
import type { Assessment } from "../../core/access/assessment.ts";
import type { AccessHold } from "../guards/access-hold.ts";
import type { RequestChanges } from "../ports/request-changes.ts";
import type { Connectors } from "../ports/connector.ts";
import type { ConnectorAddresses } from "../ports/connector-registry.ts";
import { useKey } from "./counters.ts";
import type { Expectation, HeadComparison, Store, Versioned } from "../ports/store.ts";
import type { Runtime } from "../ports/runtime.ts";
import { loadSiblings } from "./load-siblings.ts";
import type { IndexedRulebook, RulebookReader } from "./rulebook-reader.ts";
import { expectUnchanged, type LoadedCase } from "./build-step.ts";
import type { Slices } from "../async/time-slices.ts";
import type { Surfaces } from "../messaging/surfaces.ts";
import type { Freshness, MembersFound, UserGroupReader } from "../ports/user-groups.ts";

/** What every service works with. Made once, in main.ts. */
export interface ServiceContext {
  readonly store: Store;
  /** Wakes readers who wait for a request to change. */
  readonly requestChanges: RequestChanges;
  readonly runtime: Runtime;
  /** Asked before a secret is made at a target; every commit that gives access asks it besides. */
  readonly accessHold: AccessHold;
  /** Compares the audit log with the last head that was seen. */
  readonly checkAuditHead: () => Promise<HeadComparison>;
  readonly rulebook: RulebookReader;
  /** Where judging pauses, so that one caller's rules hold up nobody else. */
  readonly slices: Slices;
  /** Where people can be told things in this installation. */
  readonly surfaces: Surfaces;
  /** Slack's user groups; absent where there is no Slack. */
  readonly userGroups?: UserGroupReader;
  /** By their names. A reload swaps them, so they are asked for each time. */
  readonly connectors: Connectors;
  /** Those that are not what the configuration says; absent where none can be. */
  readonly addresses?: ConnectorAddresses;
}

/** A request with everything that is decided together with it. */
export async function loadCase(store: Store, id: RequestId): Promise<LoadedCase | undefined> {
  const found = await store.request(id);
  if (found === undefined) return undefined;
  const { request } = found;
  const { extension } = request.value;
  const parent = extension === undefined ? undefined : await store.request(extension.of);
  const grant = parent?.grant ?? found.grant;
  const isOrdinary = extension === undefined && request.value.breakGlass === undefined;
  const isUndecided = request.value.phase === "PENDING" && isOrdinary;
  const siblings = isUndecided ? await loadSiblings(store, request.value) : [];
  const child =
    extension === undefined && grant !== undefined ? await store.openExtension(grant.value.id) : undefined;
  return {
    accessCase: {
      request: request.value,
      ...(grant !== undefined && { grant: grant.value }),
      ...(child !== undefined && { extension: child.value }),
      ...(parent !== undefined && { parent: parent.request.value }),
      ...(siblings.length > 0 && { siblings: siblings.map((one) => one.value) }),
    },
    expects: [
      expectUnchanged("request", request),
      ...(grant === undefined ? [] : [expectUnchanged("grant", grant)]),
      ...(child === undefined ? [] : [expectUnchanged("request", child)]),
      ...siblings.map((one) => expectUnchanged("request", one)),
    ],
  };
}

export interface LoadedPeople {
  readonly directory: Directory;
  readonly identities: ReadonlyMap<IdentityId, Versioned<Identity>>;
  /** Slack user groups among the selectors whose members could not be asked for; here they mean nobody. */
  readonly unknownGroups: readonly string[];
}

type PeopleContext = Pick<ServiceContext, "store" | "rulebook" | "userGroups">;

/** Everyone these ids and selectors mean, read in one moment. `press`: for a decision. */
export async function loadPeople(
  context: PeopleContext,
  ids: readonly IdentityId[],
  selectors: readonly Selector[],
  freshness: Freshness = "cached",
): Promise<LoadedPeople> {
  const { members, unknown } = await groupMembers(context, selectors, freshness);
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
    unknownGroups: unknown,
  };
}

const nobody: MembersFound = { members: new Map(), unknown: [] };

/** Members of the user groups among these selectors, if the configuration trusts Slack with them (contract §4). */
async function groupMembers(
  { rulebook, userGroups }: PeopleContext,
  selectors: readonly Selector[],
  freshness: Freshness,
): Promise<MembersFound> {
  const ids = new Set(selectors.flatMap((one) => (one.kind === "slack-usergroup" ? [one.id] : [])));
  if (ids.size === 0 || userGroups === undefined) return nobody;
  const { trustSlackUserGroups } = (await rulebook()).book.rules;
  return trustSlackUserGroups ? userGroups.find([...ids], freshness) : nobody;
}

/** The user groups of today's policies that this person is in, as far as is known lately; for lists. */
export async function userGroupsOf(context: PeopleContext, person: Identity): Promise<readonly string[]> {
  const account = accountIn(person.links, "slack");
  if (context.userGroups === undefined || account === undefined) return [];
  const { members } = await groupMembers(context, (await context.rulebook()).userGroupSelectors, "cached");
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
 * A no that might be a yes if Slack could be asked who is in its groups is said to be that. Nobody's press counts on a
 * guess, and nobody is told that they may not when it is not known.
 */
export function refuseIfUnverified<T>(decision: T | Refusal, { unknownGroups }: LoadedPeople): T | Refusal {
  const isGuess = unknownGroups.length > 0 && isRefusal(decision) && settledByGroups.has(decision.refused);
  if (!isGuess) return decision;
  return refuse(
    "store_unavailable",
    "Slack cannot be asked right now who is in its user groups, so it cannot be verified that you may; nothing was changed.",
    { retryAfterSeconds: 30 },
  );
}

/** The people that deciding or showing this request needs. */
export function idsIn(request: AccessRequest): readonly IdentityId[] {
  return [
    request.subjectId,
    request.requestedById,
    ...request.votes.map((vote) => vote.by),
    ...request.asked.map((one) => one.identityId),
  ];
}

export function selectorsIn(request: AccessRequest): readonly Selector[] {
  return [
    ...stagesOf(request.requirement).flatMap((stage) => [...stage.approvers, ...stage.escalateTo.flat()]),
    ...(request.breakGlass?.review.by ?? []),
  ];
}

/** Expectations that these people are still as they were read. */
export function expectPeople(people: LoadedPeople, ids: readonly IdentityId[]): readonly Expectation[] {
  return ids.flatMap((id) => {
    const identity = people.identities.get(id);
    return identity === undefined ? [] : [expectUnchanged("identity", identity)];
  });
}

export interface Assessed {
  readonly assessment: Assessment;
  readonly facts: SubmissionFacts;
  readonly isExhausted: (policy: Policy) => boolean;
  readonly expects: readonly Expectation[];
  readonly rules: IndexedRulebook;
}

/** Judges these facts by today's policies: risk, and for each scope which policy governs. */
export async function assess(
  { store, rulebook, runtime, slices }: ServiceContext,
  scopes: readonly Scope[],
  submission: Omit<SubmissionFacts, "history">,
  frozenRisk?: AccessRequest["risk"],
): Promise<Assessed> {
  const rules = await rulebook();
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

/** When no rule asks for it. */
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

/** The facts of a stored request's submission, for asking today's policies again. */
export function submissionOf(request: AccessRequest): Omit<SubmissionFacts, "history"> {
  return {
    subject: request.subjectAtSubmission,
    reason: request.reason,
    durationMs: request.extension?.totalMs ?? request.durationMs,
    submittedAt: request.requestedAt,
    ...(request.ticket !== undefined && { ticket: request.ticket }),
  };
}

/** Everyone today's governing policies name, so that the directory can answer for them. */
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
