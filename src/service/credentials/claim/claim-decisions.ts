import { assertPresent } from "../../../core/values/assert.ts";
import { decideClaim, decideRotate, type ClaimFacts } from "../../../core/decisions/decide-claim.ts";
import type { CredentialRecord } from "../../../core/access/grant.ts";
import { makeId, type Instant } from "../../../core/values/ids.ts";
import { isRefusal, type Refusal } from "../../../core/values/refusals.ts";
import type { Caller } from "../../ports/caller.ts";
import type { CaseDecision } from "../../decisions/decide-case.ts";
import { loadDecisionContext } from "../../decisions/decision-context.ts";
import { findCase, type LoadedCase } from "../../decisions/load-case.ts";
import { configurationChanged, servedAmong, whyNotServed } from "../../targets/served-actions.ts";
import { assess, submissionOf, type ServiceContext } from "../../decisions/load-facts.ts";
import { expectPeople, type LoadedPeople } from "../../decisions/loaded-people.ts";
import type { Expectation } from "../../ports/store.ts";

/** A case with what every decision about its claim is made from. */
export interface LoadedClaim extends LoadedCase {
  readonly facts: Pick<ClaimFacts, "byId" | "by" | "subject" | "current" | "lockdown">;
  readonly expectsOfFacts: readonly Expectation[];
  readonly people: LoadedPeople;
}

export async function loadClaim(
  context: ServiceContext,
  caller: Caller,
  id: string,
): Promise<LoadedClaim | Refusal> {
  const loaded = await findCase(context, id);
  if (isRefusal(loaded)) return loaded;
  const { request } = loaded.accessCase;
  const current = await assess(context, loaded.rules, request.scopes, submissionOf(request), request.risk);
  const rotation = await withHolder(context, caller, loaded);
  return {
    ...rotation,
    facts: { ...rotation.facts, current: current.assessment, lockdown: loaded.rules.book.lockdown },
    expectsOfFacts: [...current.expects, ...rotation.expectsOfFacts],
  };
}

/** A case with what a rotation is decided from. Policies do not count: the access was granted already. */
export interface LoadedRotation extends Omit<LoadedClaim, "facts"> {
  readonly facts: Pick<ClaimFacts, "byId" | "by" | "subject">;
}

export async function loadRotation(
  context: ServiceContext,
  caller: Caller,
  id: string,
): Promise<LoadedRotation | Refusal> {
  const loaded = await findCase(context, id);
  return isRefusal(loaded) ? loaded : withHolder(context, caller, loaded);
}

async function withHolder(
  context: ServiceContext,
  caller: Caller,
  loaded: LoadedCase,
): Promise<LoadedRotation> {
  const { subjectId } = loaded.accessCase.request;
  const { facts, people } = await loadDecisionContext(context, caller, loaded, { freshness: "cached" });
  const subject = assertPresent(facts.directory.identity(subjectId), subjectId);
  return {
    ...loaded,
    facts: { byId: caller.identity.id, by: facts.by, subject },
    expectsOfFacts: expectPeople(people, [subjectId]),
    people,
  };
}

/**
 * The claim, decided by the facts as they were read.
 *
 * @param startedAt For prepared access: when its clock began, as its targets are told. Absent: now.
 */
export function claimDecision(
  { runtime, connectors }: Pick<ServiceContext, "runtime" | "connectors">,
  credential: CredentialRecord,
  startedAt?: Instant,
): CaseDecision<LoadedClaim> {
  return async ({ accessCase, facts, expectsOfFacts: expects, people }) => {
    const { request } = accessCase;
    // Access with a target is never granted by the token alone, even if a reload has changed the connectors meanwhile.
    const isTokenOnly = startedAt === undefined;
    const isChanged =
      whyNotServed(connectors, request) !== undefined ||
      (isTokenOnly && servedAmong(connectors, request.scopes).length > 0);
    if (isChanged) return { decision: configurationChanged(), expects };
    const now = runtime.now();
    const claim = {
      ...facts,
      grantId: makeId("grant", runtime.idSuffix()),
      credential,
      startedAt: startedAt ?? now,
      isPrepared: startedAt !== undefined,
    };
    return { decision: decideClaim(accessCase, claim, now), expects, people };
  };
}

/** The rotation, decided by who asks for it. */
export function rotationDecision(
  { runtime }: Pick<ServiceContext, "runtime">,
  credential: CredentialRecord,
): CaseDecision<LoadedRotation> {
  return async ({ accessCase, facts, expectsOfFacts: expects, people }) => ({
    decision: decideRotate(accessCase, { ...facts, credential }, runtime.now()),
    expects,
    people,
  });
}
