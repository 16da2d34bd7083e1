import type { AccessRequest } from "../../core/access/access-request.ts";
import { decideApproval, type Approval } from "../../core/decisions/decide-approval.ts";
import { decideDenial } from "../../core/decisions/decide-denial.ts";
import { assertPresent } from "../../core/values/assert.ts";
import { refuseInactive } from "../../core/access/assessment.ts";
import { isActive } from "../../core/values/identity.ts";
import { decideReview } from "../../core/decisions/decide-review.ts";
import type { AccessCase, Decision } from "../../core/access/access-case.ts";
import { decideCancel } from "../../core/decisions/decide-end.ts";
import { makeId, parseId, type Instant } from "../../core/values/ids.ts";
import { isRefusal, refuse, type Refusal } from "../../core/values/refusals.ts";
import type { RequestSpec } from "../../core/access/draft-request.ts";
import { parseRequest, type RequestInput } from "../ports/request-input.ts";
import { isSelf, lacksRole, type Caller } from "../ports/caller.ts";
import { activeRoom } from "../decisions/counters.ts";
import {
  decideCase,
  loadDecisionContext,
  requestOf,
  withAnswer,
  type CaseDecision,
  type DecisionContext,
} from "../decisions/decide-case.ts";
import {
  approversNamed,
  refuseIfUnverified,
  assess,
  expectPeople,
  submissionOf,
  type ServiceContext,
} from "../decisions/load-facts.ts";
import { withFrozenApprovals } from "../decisions/freeze-decided-approvals.ts";
import { loadSiblings } from "../decisions/load-siblings.ts";
import { markStarted, keepAnswer, type AnswerWriter } from "../decisions/idempotency.ts";
import { decideAndCommit, type DecisionAttempt } from "../decisions/decide-and-commit.ts";
import { expectUnchanged, buildStep } from "../decisions/build-step.ts";
import { decideAsk } from "./decide-ask.ts";

/** What people decide about requests. Every answer is the request as stored afterwards, or the refusal. */
export interface AccessService {
  /** Stores a request; an auto-approved or break-glass one comes back APPROVED and is claimed next. */
  submit(caller: Caller, input: RequestInput): Promise<AccessRequest | Refusal>;
  approve(caller: Caller, id: string, approval: Approval): Promise<AccessRequest | Refusal>;
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
    requestOf(await decideCase(context, id, decision, keepAnswer(context, caller.idempotentCall, 200)));
  return {
    submit: (caller, input) => submit(context, caller, input),
    approve: async (caller, id, approval) =>
      lacksRole(caller, "approver") ?? decide(caller, id, approvalDecision(context, caller, approval)),
    deny: async (caller, id, reason) =>
      lacksRole(caller, "approver") ??
      decide(
        caller,
        id,
        personDecision(context, caller, (accessCase, facts, now) =>
          decideDenial(accessCase, reason, facts, now),
        ),
      ),
    cancel: async (caller, id, reason) =>
      lacksRole(caller, "requester", "admin") ??
      decide(
        caller,
        id,
        personDecision(context, caller, (accessCase, { person, by }, now) => {
          if (!isActive(person)) return refuseInactive(person);
          // An administrator's key cancels what it asked for, not what its owner holds.
          return caller.roles.includes("requester") || accessCase.request.requestedById === person.id
            ? decideCancel(accessCase, person.id, reason, by, now)
            : refuse("not_requester", "Only who asked for it can cancel a request.");
        }),
      ),
    review: async (caller, id, judgement) =>
      lacksRole(caller, "approver") ??
      decide(
        caller,
        id,
        personDecision(context, caller, (accessCase, facts, now) =>
          decideReview(accessCase, judgement, facts, now),
        ),
      ),
  };
}

/** A decision that needs to know who presses, and nothing about today's policies. */
function personDecision(
  context: ServiceContext,
  caller: Caller,
  decision: (accessCase: AccessCase, facts: DecisionContext["facts"], now: Instant) => Decision,
): CaseDecision {
  return async ({ accessCase }) => {
    const { facts, expects, people } = await loadDecisionContext(context, caller, accessCase.request);
    const decided = decision(accessCase, facts, context.runtime.now());
    return { decision: refuseIfUnverified(decided, people), expects };
  };
}

function approvalDecision(context: ServiceContext, caller: Caller, approve: Approval): CaseDecision {
  return async ({ accessCase }) => {
    const { request } = accessCase;
    const current = await assess(context, request.scopes, submissionOf(request), request.risk);
    const decisionContext = await loadDecisionContext(context, caller, request, {
      also: approversNamed(current),
    });
    const facts = {
      ...decisionContext.facts,
      current: current.assessment,
      subject: assertPresent(decisionContext.facts.directory.identity(request.subjectId), request.subjectId),
      lockdown: current.rules.book.lockdown,
      digest: context.runtime.sha256,
    };
    const counted = [request.subjectId, ...request.votes.map((vote) => vote.by)];
    return {
      decision: refuseIfUnverified(
        decideApproval(accessCase, approve, facts, context.runtime.now()),
        decisionContext.people,
      ),
      expects: [
        ...current.expects,
        ...decisionContext.expects,
        ...expectPeople(decisionContext.people, counted),
      ],
    };
  };
}

async function submit(
  context: ServiceContext,
  caller: Caller,
  input: RequestInput,
): Promise<AccessRequest | Refusal> {
  const notAllowed = mayRequest(caller, input.identityId);
  if (notAllowed !== undefined) return notAllowed;
  const parsed = parseRequest(input);
  if (isRefusal(parsed)) return parsed;
  const { breakGlass, ...words } = parsed;
  const id = makeId("request", context.runtime.idSuffix());
  const spec: RequestSpec = { ...words, id, requestedById: caller.identity.id };
  return decideAndCommit(context.store, () => tryToSubmit(context, caller, spec, breakGlass));
}

/** For oneself with the role requester; for somebody else with the role admin. */
function mayRequest(caller: Caller, identityId: string): Refusal | undefined {
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
  spec: RequestSpec,
  breakGlass: boolean,
): Promise<DecisionAttempt<AccessRequest>> {
  const { runtime } = context;
  const beside = breakGlass ? [] : await loadSiblings(context.store, spec);
  const siblings = beside.map((one) => one.value);
  const submission = await decideAsk(context, caller, spec, { breakGlass, freshness: "verify", siblings });
  if (isRefusal(submission)) return submission;
  const { decision, subject, current, people, now } = submission;
  if (isRefusal(decision)) return decision;
  const happened = await withFrozenApprovals(context, siblings, decision);
  const built = buildStep(undefined, happened, {
    beside,
    now,
    runtime,
    limits: current.rules.book.rules.limits,
    expects: [
      ...current.expects,
      expectUnchanged("identity", subject),
      ...expectPeople(people, [caller.identity.id]),
    ],
  });
  const { request } = built;
  const step = await withAnswer(built, answering(context, caller, request));
  const isAuto = request.phase === "APPROVED" && !breakGlass;
  return {
    step: isAuto ? activeRoom(step, spec.subjectId, current.rules.book.rules.limits, now) : step,
    result: request,
  };
}

/** What is claimed in the same call is only begun here: the claim's commit has the answer. */
function answering(
  context: ServiceContext,
  caller: Caller,
  request: AccessRequest,
): AnswerWriter | undefined {
  const { idempotentCall } = caller;
  if (idempotentCall === undefined || !isClaimedAtOnce(caller, request))
    return keepAnswer(context, idempotentCall, 201);
  return async () => markStarted(context, idempotentCall, request);
}

/**
 * Approved at birth for the very person who asks, through a door whose answer only they see. In chat it stops at
 * APPROVED: the press on *Show credential* claims, so no secret is sent unasked.
 */
export function isClaimedAtOnce(caller: Caller, request: AccessRequest): boolean {
  const isOwnAnswer = caller.via === "api" || caller.via === "cli";
  return isOwnAnswer && request.phase === "APPROVED" && isSelf(caller, request.subjectId);
}
