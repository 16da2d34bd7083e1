import type { AccessRequest, NotifyChannel } from "../core/access-request.ts";
import type { History, SubmissionFacts } from "../core/conditions.ts";
import { choose, holdersOf } from "../core/governing.ts";
import type { IdentityId, Instant, RequestId, Scope } from "../core/ids.ts";
import { directoryOf, type Directory, type Identity, type Selector } from "../core/people.ts";
import type { Policy } from "../core/policy.ts";
import { stagesOf } from "../core/requirement.ts";
import { riskOf } from "../core/risk.ts";
import type { Assessment } from "../core/assessment.ts";
import type { Changes } from "./changes.ts";
import type { Connectors } from "./connector.ts";
import type { Expectation, Store, Surroundings, Versioned } from "./ports.ts";
import type { IndexedRulebook, RulebookReader } from "./rulebook-reader.ts";
import { asRead, useKey, type LoadedCase } from "./step-of.ts";

/** What every service works with. Made once, in main.ts. */
export interface ServiceContext {
  readonly store: Store;
  /** Wakes readers who wait for a request to change. */
  readonly changes: Changes;
  readonly surroundings: Surroundings;
  readonly rulebook: RulebookReader;
  /** By their names. A reload swaps them, so they are asked for each time. */
  readonly connectors: Connectors;
  /** Surfaces that can carry a message in this installation. */
  readonly configured: ReadonlySet<NotifyChannel>;
}

/** A request with everything that is decided together with it. */
export async function loadCase(store: Store, id: RequestId): Promise<LoadedCase | undefined> {
  const found = await store.request(id);
  if (found === undefined) return undefined;
  const { request } = found;
  const { extension } = request.value;
  const parent = extension === undefined ? undefined : await store.request(extension.of);
  const grant = parent?.grant ?? found.grant;
  const child =
    extension === undefined && grant !== undefined ? await store.openExtension(grant.value.id) : undefined;
  return {
    case: {
      request: request.value,
      ...(grant !== undefined && { grant: grant.value }),
      ...(child !== undefined && { extension: child.value }),
      ...(parent !== undefined && { parent: parent.request.value }),
    },
    expects: [
      asRead("request", request),
      ...(grant === undefined ? [] : [asRead("grant", grant)]),
      ...(child === undefined ? [] : [asRead("request", child)]),
    ],
  };
}

export interface LoadedPeople {
  readonly directory: Directory;
  readonly identities: ReadonlyMap<IdentityId, Versioned<Identity>>;
}

/** Everyone these ids and selectors mean, read in one moment. */
export async function loadPeople(
  store: Store,
  ids: readonly IdentityId[],
  selectors: readonly Selector[],
): Promise<LoadedPeople> {
  const people = await store.people({ ids, selectors });
  return {
    directory: directoryOf(people.map((one) => one.value)),
    identities: new Map(people.map((one) => [one.value.id, one])),
  };
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
    return identity === undefined ? [] : [asRead("identity", identity)];
  });
}

export interface Assessed {
  readonly assessment: Assessment;
  readonly facts: SubmissionFacts;
  readonly isSpent: (policy: Policy) => boolean;
  readonly expects: readonly Expectation[];
  readonly rules: IndexedRulebook;
}

/** Judges these facts by today's policies: risk, and for each scope which policy governs. */
export async function assess(
  { store, rulebook, surroundings }: ServiceContext,
  scopes: readonly Scope[],
  submission: Omit<SubmissionFacts, "history">,
  frozenRisk?: AccessRequest["risk"],
): Promise<Assessed> {
  const rules = await rulebook();
  const { book, index } = rules;
  const history = rules.looksBack
    ? await store.history(submission.subject.id, scopes, submission.submittedAt)
    : noHistory;
  const facts: SubmissionFacts = { ...submission, history };
  const risk = frozenRisk === undefined ? riskOf(book.rules.risk, scopes, facts) : frozenRisk;
  const holders = scopes.map((scope) => ({ scope, holders: holdersOf(index, scope, facts, risk) }));
  const spent = await spentAmong(
    store,
    [...holders.flatMap((one) => one.holders), book.rules.defaultPolicy],
    surroundings.now(),
  );
  const isSpent = (policy: Policy): boolean => spent.has(policy);
  return {
    assessment: {
      risk,
      choices: holders.map((one) => ({
        scope: one.scope,
        choice: choose(one.holders, book.rules.defaultPolicy, isSpent),
      })),
    },
    facts,
    isSpent,
    expects: [{ kind: "rulebook", id: "rulebook", version: book.version }],
    rules,
  };
}

/** When no rule asks for it. */
const noHistory: History = { startedAt: () => [], deniedAt: [], requestedAt: [] };

async function spentAmong(
  store: Store,
  policies: readonly (Policy | undefined)[],
  now: Instant,
): Promise<Set<Policy>> {
  const spent = new Set<Policy>();
  for (const policy of new Set(policies)) {
    if (policy?.maxUsage === undefined) continue;
    const used = await store.used(useKey({ policyId: policy.id }), now, policy.usagePeriodMs);
    if (used >= policy.maxUsage) spent.add(policy);
  }
  return spent;
}

/** The facts of a stored request's submission, for asking today's policies again. */
export function submissionOf(request: AccessRequest): Omit<SubmissionFacts, "history"> {
  return {
    subject: request.subjectThen,
    reason: request.reason,
    durationMs: request.extension?.totalMs ?? request.durationMs,
    submittedAt: request.requestedAt,
    ...(request.ticket !== undefined && { ticket: request.ticket }),
  };
}

/** Everyone today's governing policies name, so that the directory can answer for them. */
export function approversNamed(today: Assessed): readonly Selector[] {
  return today.assessment.choices.flatMap(({ choice }) =>
    choice.kind === "policy" && choice.policy.effect.kind === "approval"
      ? choice.policy.effect.approval.stages.flatMap((stage) => [
          ...stage.approvers,
          ...stage.escalateTo.flat(),
        ])
      : [],
  );
}
