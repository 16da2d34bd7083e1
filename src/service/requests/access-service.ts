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
  limitsOf,
  stepWithAnswer,
  storedCase,
  storedOrRefusal,
  type CaseDecision,
} from "../decisions/decide-case.ts";
import { loadDecisionContext, type DecisionContext } from "../decisions/decision-context.ts";
import {
  approversNamed,
  refuseIfUnverified,
  assess,
  submissionOf,
  type ServiceContext,
} from "../decisions/load-facts.ts";
import { expectPeople } from "../decisions/loaded-people.ts";
import type { StoredRequest } from "../decisions/stored-request.ts";
import { withFrozenApprovals } from "../decisions/freeze-decided-approvals.ts";
import { loadSiblings } from "../decisions/load-siblings.ts";
import { markStarted, keepAnswer, type AnswerWriter } from "../decisions/idempotency.ts";
import { decideAndCommit, type DecisionAttempt } from "../decisions/decide-and-commit.ts";
import { expectUnchanged, buildStep } from "../decisions/build-step.ts";
import { isHighRisk } from "../views/card.ts";
import { decideAsk } from "./decide-ask.ts";

export interface UnconfirmedApproval extends Approval {
  /** A request of high risk is not approved yet, so that the approver can be asked to confirm. */
  readonly confirmsHighRisk?: true;
}

/** Nothing was decided: the approval would count, and has to be confirmed because of the risk. */
export interface ToBeConfirmed {
  readonly toBeConfirmed: StoredRequest;
}

/** What people decide about requests. Every answer is the request as stored afterwards, or the refusal. */
export interface AccessService {
  /** Stores a request; an auto-approved or break-glass one comes back APPROVED and is claimed next. */
  submit(caller: Caller, input: RequestInput): Promise<StoredRequest | Refusal>;
  approve(
    caller: Caller,
    id: string,
    approval: UnconfirmedApproval,
  ): Promise<StoredRequest | ToBeConfirmed | Refusal>;
  deny(caller: Caller, id: string, reason: string): Promise<StoredRequest | Refusal>;
  cancel(caller: Caller, id: string, reason: string): Promise<StoredRequest | Refusal>;
  review(
    caller: Caller,
    id: string,
    judgement: { readonly outcome: "justified" | "unjustified"; readonly comment: string },
  ): Promise<StoredRequest | Refusal>;
}

export function createAccessService(context: ServiceContext): AccessService {
  const decide = async (
    caller: Caller,
    id: string,
    decision: CaseDecision,
  ): Promise<StoredRequest | Refusal> =>
    storedOrRefusal(await decideCase(context, id, decision, keepAnswer(context, caller.idempotentCall, 200)));
  return {
    submit: (caller, input) => submit(context, caller, input),
    async approve(caller, id, approval) {
      const missing = lacksRole(caller, "approver");
      if (missing !== undefined) return missing;
      let toBeConfirmed: StoredRequest | undefined;
      const decision = approvalDecision(context, caller, approval, (stored) => (toBeConfirmed = stored));
      const outcome = await decide(caller, id, decision);
      return toBeConfirmed === undefined ? outcome : { toBeConfirmed };
    },
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

/** A decision that depends on who decides, and not on the policies in force. */
function personDecision(
  context: ServiceContext,
  caller: Caller,
  decision: (accessCase: AccessCase, facts: DecisionContext["facts"], now: Instant) => Decision,
): CaseDecision {
  return async (loaded) => {
    const { accessCase } = loaded;
    const { facts, expects, people } = await loadDecisionContext(context, caller, loaded);
    const decided = decision(accessCase, facts, context.runtime.now());
    return { decision: refuseIfUnverified(decided, people), expects, people };
  };
}

/** @param onToBeConfirmed Called in place of approving, with what was read; see {@link UnconfirmedApproval}. */
function approvalDecision(
  context: ServiceContext,
  caller: Caller,
  { confirmsHighRisk, ...approval }: UnconfirmedApproval,
  onToBeConfirmed: (stored: StoredRequest) => void,
): CaseDecision {
  return async (loaded) => {
    const { accessCase, rules } = loaded;
    const { request } = accessCase;
    const current = await assess(context, rules, request.scopes, submissionOf(request), request.risk);
    const decisionContext = await loadDecisionContext(context, caller, loaded, {
      also: approversNamed(current),
    });
    const { people } = decisionContext;
    const facts = {
      ...decisionContext.facts,
      current: current.assessment,
      subject: assertPresent(decisionContext.facts.directory.identity(request.subjectId), request.subjectId),
      lockdown: rules.book.lockdown,
      digest: context.runtime.sha256,
    };
    const decision = refuseIfUnverified(
      decideApproval(accessCase, approval, facts, context.runtime.now()),
      people,
    );
    const isHeldBack = confirmsHighRisk === true && !isRefusal(decision) && isHighRisk(request);
    if (isHeldBack) onToBeConfirmed(storedCase(loaded, people));
    const counted = [request.subjectId, ...request.votes.map((vote) => vote.by)];
    return {
      decision: isHeldBack ? [] : decision,
      expects: [...current.expects, ...decisionContext.expects, ...expectPeople(people, counted)],
      people,
    };
  };
}

async function submit(
  context: ServiceContext,
  caller: Caller,
  input: RequestInput,
): Promise<StoredRequest | Refusal> {
  const notAllowed = mayRequest(caller, input.identityId);
  if (notAllowed !== undefined) return notAllowed;
  const parsed = parseRequest(input);
  if (isRefusal(parsed)) return parsed;
  const { breakGlass, ...words } = parsed;
  const id = makeId("request", context.runtime.idSuffix());
  const spec: RequestSpec = { ...words, id, requestedById: caller.identity.id };
  return decideAndCommit(context.store, () => tryToSubmit(context, caller, spec, breakGlass));
}

/** The role requester allows requests for oneself, the role admin for others. */
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
): Promise<DecisionAttempt<StoredRequest>> {
  const { runtime } = context;
  const alsoChanged = breakGlass ? [] : await loadSiblings(context.store, spec);
  const siblings = alsoChanged.map((sibling) => sibling.value);
  const rules = await context.rulebook();
  const options = { rules, breakGlass, freshness: "verify", siblings } as const;
  const submission = await decideAsk(context, caller, spec, options);
  if (isRefusal(submission)) return submission;
  const { decision, subject, current, people, now } = submission;
  if (isRefusal(decision)) return decision;
  const happened = await withFrozenApprovals(context, siblings, decision, people);
  const built = buildStep(undefined, happened, {
    alsoChanged,
    now,
    runtime,
    limits: limitsOf(rules),
    expects: [
      ...current.expects,
      expectUnchanged("identity", subject),
      ...expectPeople(people, [caller.identity.id]),
    ],
  });
  const { request } = built;
  const { step, result } = await stepWithAnswer(
    built,
    { people, rules },
    answerWriterOf(context, caller, request),
  );
  const isAuto = request.phase === "APPROVED" && !breakGlass;
  return { step: isAuto ? activeRoom(step, spec.subjectId, limitsOf(rules), now) : step, result };
}

/** A request that is claimed in the same call is only marked as started: the claim's commit has the answer. */
function answerWriterOf(
  context: ServiceContext,
  caller: Caller,
  request: AccessRequest,
): AnswerWriter | undefined {
  const { idempotentCall } = caller;
  if (idempotentCall === undefined || !isClaimedAtOnce(caller, request))
    return keepAnswer(context, idempotentCall, 201);
  return async () => ({ idempotencyRecord: markStarted(context, idempotentCall, request) });
}

/**
 * Whether an auto-approved request is claimed in the same call: its requester asked, and only they see the answer. In
 * chat it stays APPROVED until *Show credential* is pressed, so that no secret is sent unasked.
 */
export function isClaimedAtOnce(caller: Caller, request: AccessRequest): boolean {
  const isOwnAnswer = caller.via === "api" || caller.via === "cli";
  return isOwnAnswer && request.phase === "APPROVED" && isSelf(caller, request.subjectId);
}
