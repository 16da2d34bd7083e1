import { present } from "../core/assert.ts";
import { decideClaim, decideRotate } from "../core/claiming.ts";
import type { CredentialRecord } from "../core/grant.ts";
import { instant, makeId, type Instant } from "../core/ids.ts";
import { actorOf, type Caller } from "./caller.ts";
import { pressOf, type CaseDecision } from "./deciding.ts";
import { assess, expectPeople, submissionOf, type ServiceContext } from "./loading.ts";

/** Stands for the credential while it is only asked whether there may be one. */
export const unwritten: CredentialRecord = {
  id: makeId("credential", "none"),
  hash: "",
  last4: "",
  issuedAt: instant(0),
};

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
  const { surroundings } = context;
  return async ({ case: kase }) => {
    const { request } = kase;
    const today = await assess(context, request.scopes, submissionOf(request), request.risk);
    const press = await pressOf(context, caller, request);
    const now = surroundings.now();
    const facts = {
      byId: caller.identity.id,
      by: actorOf(caller),
      subject: present(press.facts.directory.identity(request.subjectId), request.subjectId),
      today: today.assessment,
      lockdown: today.rules.book.lockdown,
      grantId: makeId("grant", surroundings.idTail()),
      credential,
      startedAt: startedAt ?? now,
      isPrepared: startedAt !== undefined,
    };
    const expects = [...today.expects, ...expectPeople(press.people, [request.subjectId])];
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
