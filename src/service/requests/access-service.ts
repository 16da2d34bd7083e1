import type { AccessRequest } from "../../core/access/access-request.ts";
import { decideApprove, decideDeny, type Approve } from "../../core/decisions/decide-approval.ts";
import { present } from "../../core/values/assert.ts";
import { inactive } from "../../core/access/assessment.ts";
import { isActive } from "../../core/values/identity.ts";
import { decideReview } from "../../core/decisions/decide-review.ts";
import type { Case, Decision } from "../../core/access/access-case.ts";
import { decideCancel } from "../../core/decisions/decide-end.ts";
import { makeId, parseId, type Instant } from "../../core/values/ids.ts";
import { isRefusal, refuse, type Refusal } from "../../core/values/refusals.ts";
import type { Ask } from "../../core/access/draft-request.ts";
import { parseAsk, type AskInput } from "../ports/request-input.ts";
import { isSelf, lacksRole, type Caller } from "../ports/caller.ts";
import { activeRoom } from "../decisions/counters.ts";
import {
  decideCase,
  pressOf,
  requestOf,
  withAnswer,
  type CaseDecision,
  type Press,
} from "../decisions/decide-case.ts";
import {
  approversNamed,
  asFarAsKnown,
  assess,
  expectPeople,
  submissionOf,
  type ServiceContext,
} from "../decisions/load-facts.ts";
import { withFrozenApprovals } from "../decisions/freeze-decided-approvals.ts";
import { loadSiblings } from "../decisions/load-siblings.ts";
import { begun, keeping, type Keep } from "../decisions/idempotency.ts";
import { decideAndCommit, type Attempt } from "../decisions/decide-and-commit.ts";
import { asRead, stepOf } from "../decisions/build-step.ts";
import { decideAsk } from "./decide-ask.ts";

/** What people decide about requests. Every answer is the request as stored afterwards, or the refusal. */
export interface AccessService {
  /** Stores a request; an auto-approved or break-glass one comes back APPROVED and is claimed next. */
  submit(caller: Caller, input: AskInput): Promise<AccessRequest | Refusal>;
  approve(caller: Caller, id: string, press: Approve): Promise<AccessRequest | Refusal>;
  deny(caller: Caller, id: string, reason: string): Promise<AccessRequest | Refusal>;
  cancel(caller: Caller, id: string, reason: string): Promise<AccessRequest | Refusal>;
  review(
    caller: Caller,
    id: string,
    judgement: { readonly outcome: "justified" | "unjustified"; readonly comment: string },
  ): Promise<AccessRequest | Refusal>;
}

export function createAccessService(context: ServiceContext): AccessService {
  const decide = async (
    caller: Caller,
    id: string,
    decision: CaseDecision,
  ): Promise<AccessRequest | Refusal> =>
    requestOf(await decideCase(context, id, decision, keeping(context, caller.once, 200)));
  return {
    submit: (caller, input) => submit(context, caller, input),
    approve: async (caller, id, press) =>
      lacksRole(caller, "approver") ?? decide(caller, id, approving(context, caller, press)),
    deny: async (caller, id, reason) =>
      lacksRole(caller, "approver") ??
      decide(
        caller,
        id,
        pressing(context, caller, (kase, facts, now) => decideDeny(kase, reason, facts, now)),
      ),
    cancel: async (caller, id, reason) =>
      lacksRole(caller, "requester", "admin") ??
      decide(
        caller,
        id,
        pressing(context, caller, (kase, { person, by }, now) => {
          if (!isActive(person)) return inactive(person);
          // An administrator's key cancels what it asked for, not what its owner holds.
          return caller.roles.includes("requester") || kase.request.requestedById === person.id
            ? decideCancel(kase, person.id, reason, by, now)
            : refuse("not_requester", "Only who asked for it can cancel a request.");
        }),
      ),
    review: async (caller, id, judgement) =>
      lacksRole(caller, "approver") ??
      decide(
        caller,
        id,
        pressing(context, caller, (kase, facts, now) => decideReview(kase, judgement, facts, now)),
      ),
  };
}

/** A decision that needs to know who presses, and nothing about today's policies. */
function pressing(
  context: ServiceContext,
  caller: Caller,
  decision: (kase: Case, facts: Press["facts"], now: Instant) => Decision,
): CaseDecision {
  return async ({ case: kase }) => {
    const { facts, expects, people } = await pressOf(context, caller, kase.request);
    const decided = decision(kase, facts, context.surroundings.now());
    return { decision: asFarAsKnown(decided, people), expects };
  };
}

function approving(context: ServiceContext, caller: Caller, approve: Approve): CaseDecision {
  return async ({ case: kase }) => {
    const { request } = kase;
    const today = await assess(context, request.scopes, submissionOf(request), request.risk);
    const press = await pressOf(context, caller, request, { also: approversNamed(today) });
    const facts = {
      ...press.facts,
      today: today.assessment,
      subject: present(press.facts.directory.identity(request.subjectId), request.subjectId),
      lockdown: today.rules.book.lockdown,
      digest: context.surroundings.sha256,
    };
    const counted = [request.subjectId, ...request.votes.map((vote) => vote.by)];
    return {
      decision: asFarAsKnown(decideApprove(kase, approve, facts, context.surroundings.now()), press.people),
      expects: [...today.expects, ...press.expects, ...expectPeople(press.people, counted)],
    };
  };
}

async function submit(
  context: ServiceContext,
  caller: Caller,
  input: AskInput,
): Promise<AccessRequest | Refusal> {
  const notAllowed = mayAsk(caller, input.identityId);
  if (notAllowed !== undefined) return notAllowed;
  const parsed = parseAsk(input);
  if (isRefusal(parsed)) return parsed;
  const { breakGlass, ...words } = parsed;
  const id = makeId("request", context.surroundings.idTail());
  const ask: Ask = { ...words, id, requestedById: caller.identity.id };
  return decideAndCommit(context.store, () => tryToSubmit(context, caller, ask, breakGlass));
}

/** For oneself with the role requester; for somebody else with the role admin. */
function mayAsk(caller: Caller, identityId: string): Refusal | undefined {
  const missing = lacksRole(caller, "requester", "admin");
  if (missing !== undefined) return missing;
  const own = parseId("identity", identityId);
  if (own !== undefined && isSelf(caller, own)) return lacksRole(caller, "requester");
  return caller.roles.includes("admin")
    ? undefined
    : refuse("not_self", "You can ask for yourself only; asking for somebody else needs the role admin.");
}

async function tryToSubmit(
  context: ServiceContext,
  caller: Caller,
  ask: Ask,
  breakGlass: boolean,
): Promise<Attempt<AccessRequest>> {
  const { surroundings } = context;
  const beside = breakGlass ? [] : await loadSiblings(context.store, ask);
  const siblings = beside.map((one) => one.value);
  const submission = await decideAsk(context, caller, ask, { breakGlass, freshness: "press", siblings });
  if (isRefusal(submission)) return submission;
  const { decision, subject, today, people, now } = submission;
  if (isRefusal(decision)) return decision;
  const happened = await withFrozenApprovals(context, siblings, decision);
  const folded = stepOf(undefined, happened, {
    beside,
    now,
    surroundings,
    limits: today.rules.book.rules.limits,
    expects: [...today.expects, asRead("identity", subject), ...expectPeople(people, [caller.identity.id])],
  });
  const { request } = folded;
  const step = await withAnswer(folded, answering(context, caller, request));
  const isAuto = request.phase === "APPROVED" && !breakGlass;
  return {
    step: isAuto ? activeRoom(step, ask.subjectId, today.rules.book.rules.limits, now) : step,
    result: request,
  };
}

/** What is claimed in the same call is only begun here: the claim's commit has the answer. */
function answering(context: ServiceContext, caller: Caller, request: AccessRequest): Keep | undefined {
  const { once } = caller;
  if (once === undefined || !isClaimedAtOnce(caller, request)) return keeping(context, once, 201);
  return async () => begun(context, once, request);
}

/**
 * Approved at birth for the very person who asks, through a door whose answer only they see. In chat it stops at
 * APPROVED: the press on *Show credential* claims, so no secret is sent unasked.
 */
export function isClaimedAtOnce(caller: Caller, request: AccessRequest): boolean {
  const isOwnAnswer = caller.via === "api" || caller.via === "cli";
  return isOwnAnswer && request.phase === "APPROVED" && isSelf(caller, request.subjectId);
}
