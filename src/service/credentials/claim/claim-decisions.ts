import { assertPresent } from "../../../core/values/assert.ts";
import type { AccessCase } from "../../../core/access/access-case.ts";
import { decideClaim, decideRotate } from "../../../core/decisions/decide-claim.ts";
import type { CredentialRecord } from "../../../core/access/grant.ts";
import { instant, makeId, type Instant } from "../../../core/values/ids.ts";
import { actorOf, type Caller } from "../../ports/caller.ts";
import { loadDecisionContext, type CaseDecision } from "../../decisions/decide-case.ts";
import { configurationChanged, servedAmong, whyNotServed } from "../../targets/served-actions.ts";
import { assess, expectPeople, submissionOf, type ServiceContext } from "../../decisions/load-facts.ts";

/** Stands for the credential while it is only asked whether there may be one. */
export const placeholderCredential: CredentialRecord = {
  id: makeId("credential", "none"),
  hash: "",
  last4: "",
  issuedAt: instant(0),
};

/** What every decision about a claim is made from. */
export async function claimFacts(context: ServiceContext, caller: Caller, { request }: AccessCase) {
  const current = await assess(context, request.scopes, submissionOf(request), request.risk);
  const decisionContext = await loadDecisionContext(context, caller, request);
  const facts = {
    byId: caller.identity.id,
    by: actorOf(caller),
    subject: assertPresent(decisionContext.facts.directory.identity(request.subjectId), request.subjectId),
    current: current.assessment,
    lockdown: current.rules.book.lockdown,
  };
  return {
    facts,
    expects: [...current.expects, ...expectPeople(decisionContext.people, [request.subjectId])],
  };
}

/**
 * The claim, decided with today's facts.
 *
 * @param startedAt Of what was prepared: what its targets were told. Absent: now.
 */
export function claimDecision(
  context: ServiceContext,
  caller: Caller,
  credential: CredentialRecord,
  startedAt?: Instant,
): CaseDecision {
  const { runtime, connectors } = context;
  return async ({ accessCase }) => {
    const known = await claimFacts(context, caller, accessCase);
    const { expects } = known;
    // What has to be made at a target is never given by the token alone, whatever a reload has changed meanwhile.
    const isTokenOnly = startedAt === undefined;
    const isChanged =
      whyNotServed(connectors, accessCase.request) !== undefined ||
      (isTokenOnly && servedAmong(connectors, accessCase.request.scopes).length > 0);
    if (isChanged) return { decision: configurationChanged(), expects };
    const now = runtime.now();
    const facts = {
      ...known.facts,
      grantId: makeId("grant", runtime.idSuffix()),
      credential,
      startedAt: startedAt ?? now,
      isPrepared: startedAt !== undefined,
    };
    return { decision: decideClaim(accessCase, facts, now), expects };
  };
}

/** The rotation, decided on who asks for it now. */
export function rotationDecision(
  context: ServiceContext,
  caller: Caller,
  credential: CredentialRecord,
): CaseDecision {
  return async ({ accessCase }) => {
    const { subjectId } = accessCase.request;
    const decisionContext = await loadDecisionContext(context, caller, accessCase.request);
    const facts = {
      byId: caller.identity.id,
      by: actorOf(caller),
      subject: assertPresent(decisionContext.facts.directory.identity(subjectId), subjectId),
      credential,
    };
    return {
      decision: decideRotate(accessCase, facts, context.runtime.now()),
      expects: expectPeople(decisionContext.people, [subjectId]),
    };
  };
}
