import { present } from "../../../core/values/assert.ts";
import type { Case } from "../../../core/access/access-case.ts";
import { decideClaim, decideRotate } from "../../../core/decisions/decide-claim.ts";
import type { CredentialRecord } from "../../../core/access/grant.ts";
import { instant, makeId, type Instant } from "../../../core/values/ids.ts";
import { actorOf, type Caller } from "../../ports/caller.ts";
import { pressOf, type CaseDecision } from "../../decisions/decide-case.ts";
import { configurationChanged, servedAmong, whyNotServed } from "../../targets/served-actions.ts";
import { assess, expectPeople, submissionOf, type ServiceContext } from "../../decisions/load-facts.ts";

/** Stands for the credential while it is only asked whether there may be one. */
export const unwritten: CredentialRecord = {
  id: makeId("credential", "none"),
  hash: "",
  last4: "",
  issuedAt: instant(0),
};

/** What every decision about a claim is made from. */
export async function claimFacts(context: ServiceContext, caller: Caller, { request }: Case) {
  const today = await assess(context, request.scopes, submissionOf(request), request.risk);
  const press = await pressOf(context, caller, request);
  const facts = {
    byId: caller.identity.id,
    by: actorOf(caller),
    subject: present(press.facts.directory.identity(request.subjectId), request.subjectId),
    today: today.assessment,
    lockdown: today.rules.book.lockdown,
  };
  return { facts, expects: [...today.expects, ...expectPeople(press.people, [request.subjectId])] };
}

/**
 * The claim, decided with today's facts.
 *
 * @param startedAt Of what was prepared: what its targets were told. Absent: now.
 */
export function claiming(
  context: ServiceContext,
  caller: Caller,
  credential: CredentialRecord,
  startedAt?: Instant,
): CaseDecision {
  const { surroundings, connectors } = context;
  return async ({ case: kase }) => {
    const known = await claimFacts(context, caller, kase);
    const { expects } = known;
    // What has to be made at a target is never given by the token alone, whatever a reload has changed meanwhile.
    const isTokenOnly = startedAt === undefined;
    const isChanged =
      whyNotServed(connectors, kase.request) !== undefined ||
      (isTokenOnly && servedAmong(connectors, kase.request.scopes).length > 0);
    if (isChanged) return { decision: configurationChanged(), expects };
    const now = surroundings.now();
    const facts = {
      ...known.facts,
      grantId: makeId("grant", surroundings.idTail()),
      credential,
      startedAt: startedAt ?? now,
      isPrepared: startedAt !== undefined,
    };
    return { decision: decideClaim(kase, facts, now), expects };
  };
}

/** The rotation, decided on who asks for it now. */
export function rotating(
  context: ServiceContext,
  caller: Caller,
  credential: CredentialRecord,
): CaseDecision {
  return async ({ case: kase }) => {
    const { subjectId } = kase.request;
    const press = await pressOf(context, caller, kase.request);
    const facts = {
      byId: caller.identity.id,
      by: actorOf(caller),
      subject: present(press.facts.directory.identity(subjectId), subjectId),
      credential,
    };
    return {
      decision: decideRotate(kase, facts, context.surroundings.now()),
      expects: expectPeople(press.people, [subjectId]),
    };
  };
}
