import type { AccessRequest } from "../core/access-request.ts";
import { present } from "../core/assert.ts";
import { decideClaim, decideRotate } from "../core/claiming.ts";
import { formatToken } from "../core/credential-format.ts";
import { decideComplete } from "../core/ending.ts";
import type { CredentialRecord, Grant } from "../core/grant.ts";
import { makeId, type IdentityId, type Instant } from "../core/ids.ts";
import { isRefusal, refuse, type Refusal } from "../core/refusals.ts";
import { formatInstant } from "../core/time.ts";
import { actorOf, lacksRole, type Caller } from "./caller.ts";
import { holderOf, isStillOf, livingCredential } from "./checking-service.ts";
import { decideCase, pressOf, requestOf, type CaseDecision } from "./deciding.ts";
import { assess, expectPeople, submissionOf, type ServiceContext } from "./loading.ts";
import { keeping, type Keep, type ShownCredential } from "./once.ts";
import type { Surroundings } from "./ports.ts";
import type { CredentialView } from "./views.ts";

export interface Issued {
  readonly request: AccessRequest;
  readonly credential: CredentialView;
}

const notValid = "This credential is not valid any more.";

/** How a requester comes to a token, replaces it and gives it back. */
export interface CredentialService {
  /** Starts the access and shows the token, once. `answerStatus`: what a call with an Idempotency-Key is kept with. */
  claim(caller: Caller, id: string, answerStatus?: number): Promise<Issued | Refusal>;
  /** A new token; the old one is dead at once. */
  rotate(caller: Caller, id: string): Promise<Issued | Refusal>;
  /** The token says that its holder is done. */
  completeByToken(token: string, id: string, note: string | null): Promise<AccessRequest | Refusal>;
}

/** @param settle Writes down what the clock has ended for this person. */
export function createCredentialService(
  context: ServiceContext,
  settle: (subjectId: IdentityId) => Promise<void>,
): CredentialService {
  return {
    async claim(caller, id, answerStatus = 200) {
      const missing = lacksRole(caller, "requester");
      if (missing !== undefined) return missing;
      const keep = keeping(context, caller.once, answerStatus, shownCredential);
      const claim = () => issuing(context, id, (token) => claiming(context, caller, token), keep);
      const issued = await claim();
      if (!isRefusal(issued) || issued.refused !== "limit_reached") return issued;
      // What is over takes no room, though no sweep has written it yet.
      await settle(caller.identity.id);
      return claim();
    },
    async rotate(caller, id) {
      const keep = keeping(context, caller.once, 200, shownCredential);
      return (
        lacksRole(caller, "requester") ??
        issuing(context, id, (token) => rotating(context, caller, token), keep)
      );
    },
    async completeByToken(token, id, note) {
      const presented = await livingCredential(context, token);
      if (presented === undefined) return refuse("unauthenticated", notValid);
      const { requestId, subjectId } = presented.grant.value;
      if (requestId !== id) return refuse("not_requester", "This credential belongs to another request.");
      return requestOf(
        await decideCase(context, id, async ({ case: kase }) => ({
          decision: isStillOf(presented, kase)
            ? decideComplete(kase, subjectId, note, holderOf(presented), context.surroundings.now())
            : refuse("unauthenticated", notValid),
          expects: [],
        })),
      );
    },
  };
}

/** Mints a token, decides with its record, and shows it only if that was committed. */
async function issuing(
  context: ServiceContext,
  id: string,
  decision: (record: CredentialRecord) => CaseDecision,
  keep: Keep | undefined,
): Promise<Issued | Refusal> {
  const token = formatToken("jit", context.surroundings.tokenSecret());
  const record = recordOf(token, context.surroundings, context.surroundings.now());
  const outcome = await decideCase(context, id, decision(record), keep);
  if (isRefusal(outcome)) return outcome;
  const { request, grant } = present(outcome, "a claim or rotation has an outcome");
  return { request, credential: credentialView(present(grant, "a claimed request has a grant"), token) };
}

function claiming(context: ServiceContext, caller: Caller, credential: CredentialRecord): CaseDecision {
  const { surroundings } = context;
  return async ({ case: kase }) => {
    const { request } = kase;
    const today = await assess(context, request.scopes, submissionOf(request), request.risk);
    const press = await pressOf(context, caller, request, { freshness: "show" });
    const facts = {
      byId: caller.identity.id,
      by: actorOf(caller),
      subject: present(press.facts.directory.identity(request.subjectId), request.subjectId),
      today: today.assessment,
      lockdown: today.rules.book.lockdown,
      grantId: makeId("grant", surroundings.idTail()),
      credential,
    };
    const expects = [...today.expects, ...expectPeople(press.people, [request.subjectId])];
    return { decision: decideClaim(kase, facts, surroundings.now()), expects };
  };
}

function rotating(context: ServiceContext, caller: Caller, credential: CredentialRecord): CaseDecision {
  return async ({ case: kase }) => {
    const { subjectId } = kase.request;
    const press = await pressOf(context, caller, kase.request, { freshness: "show" });
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

function recordOf(token: string, { idTail, sha256 }: Surroundings, issuedAt: Instant): CredentialRecord {
  return { id: makeId("credential", idTail()), hash: sha256(token), last4: token.slice(-4), issuedAt };
}

function credentialView(grant: Grant, token: string): CredentialView {
  return { id: grant.credential.id, token, expiresAt: formatInstant(grant.expiresAt), targets: [] };
}

function shownCredential(grant: Grant): ShownCredential {
  const { token: _, ...kept } = credentialView(grant, "");
  return { ...kept, tokenShown: true };
}
