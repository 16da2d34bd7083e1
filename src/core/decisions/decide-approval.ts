import type { AccessRequest, Actor } from "../access/access-request.ts";
import { isMet, newlyOpen, progressOf, stagesCounting } from "../access/approvals.ts";
import { onGrant, onRequest, type AccessCase, type Decision } from "../access/access-case.ts";
import { endSiblings } from "../access/stranded-request.ts";
import type { RequestEvent } from "../access/events.ts";
import { hasStarted } from "../access/grant.ts";
import type { Instant } from "../values/ids.ts";
import { isActive, type Directory, type Identity } from "../values/identity.ts";
import { isRefusal, refuse, type Refusal } from "../values/refusals.ts";
import { missingDemands, requirementOf, withAdded, withApproversResolved } from "../policy/requirement.ts";
import type { Demand, Requirement } from "../policy/requirement-model.ts";
import { revisionOf, type Digest } from "../access/revision.ts";
import {
  refuseByTerms,
  refuseInactive,
  refuseLockdown,
  selectGoverning,
  usesOf,
  type Assessment,
} from "../access/assessment.ts";
import { assert } from "../values/assert.ts";
import { formatDuration, plus } from "../values/time.ts";
import { makeVote, refuseVote, type VoteFacts } from "./vote.ts";

/** Who decides, and the current facts the decision is evaluated with. */
export interface ApprovalFacts extends VoteFacts {
  /** Current policies, evaluated with the facts of the submission. */
  readonly current: Assessment;
  readonly subject: Identity;
  readonly lockdown: boolean;
  readonly digest: Digest;
}

export interface Approval {
  readonly durationMs?: number;
  readonly comment?: string;
  /** The revision the person saw; an older one is refused. */
  readonly revision?: string;
}

/** Records one approval. The last missing one approves the request, unless current policies require more or deny. */
export function decideApproval(
  accessCase: AccessCase,
  approval: Approval,
  facts: ApprovalFacts,
  now: Instant,
): Decision {
  const { request } = accessCase;
  const refusal = refuseVote(request, facts, now);
  if (refusal !== undefined) return refusal;
  if (approval.revision !== undefined && approval.revision !== request.revision) {
    return refuse(
      "request_changed",
      "The request has changed since you saw it; check it again before you decide.",
    );
  }
  if (approval.durationMs !== undefined && approval.durationMs > request.durationMs) {
    return refuse(
      "invalid_duration",
      `You can approve for less, not for more than the ${formatDuration(request.durationMs)} requested.`,
    );
  }
  const stages = stagesCounting(request, facts.person.id, facts.by.via, facts.directory);
  if (isRefusal(stages)) return stages;
  const vote = makeVote("APPROVED", request, facts, now, stages, approval);
  const voted = { ...request, votes: [...request.votes, vote] };
  const progress = progressOf(voted, facts.directory);
  const approvalGiven: RequestEvent = {
    type: "ApprovalGiven",
    at: now,
    by: facts.by,
    vote,
    ...newlyOpen(voted, facts.directory),
  };
  if (!isMet(progress)) return onRequest(request, [approvalGiven]);
  return completeApproval({ ...accessCase, request: voted }, approvalGiven, facts, now);
}

/** Every frozen stage is met: evaluates current policies again before approving. */
function completeApproval(
  accessCase: AccessCase,
  approvalGiven: RequestEvent,
  facts: ApprovalFacts,
  now: Instant,
): Decision {
  const { request } = accessCase;
  if (!isActive(facts.subject)) return refuseInactive(facts.subject);
  const other = accessCase.siblings?.find(({ phase }) => phase === "APPROVED");
  if (other !== undefined) {
    return refuse("already_decided", `The same access is already approved in ${other.id}.`);
  }
  const governing = selectGoverning(facts.current);
  if (isRefusal(governing)) {
    return governing.refused === "policy_denied"
      ? onRequest(request, [approvalGiven, denyByPolicy(governing, facts, now)])
      : governing;
  }
  const current = requirementOf(governing);
  const missing = missingRequirements(request, current.requirement, facts.directory);
  if (missing.length > 0) {
    const requirement = withAdded(request.requirement, missing);
    const extendedTerms = { ...request, requirement };
    const added: RequestEvent = {
      type: "StagesAdded",
      at: now,
      by: facts.by,
      demands: missing,
      revision: revisionOf(extendedTerms, facts.digest),
      ...newlyOpen(extendedTerms, facts.directory),
    };
    return onRequest(request, [approvalGiven, added]);
  }
  const grantedDurationMs = shortestDuration(request);
  const { extension } = request;
  const totalMs =
    extension === undefined ? grantedDurationMs : grantDurationMs(accessCase) + grantedDurationMs;
  const termsRefusal = refuseByTerms(current, request.ticket, totalMs);
  if (termsRefusal !== undefined) return termsRefusal;
  const approved: RequestEvent = {
    type: "RequestApproved",
    at: now,
    by: facts.by,
    grantedDurationMs,
    claimDeadline: plus(now, request.requirement.claimWindowMs),
    uses: usesOf(governing),
  };
  if (extension === undefined) {
    return [
      ...onRequest(request, [approvalGiven, approved]),
      ...endSiblings(accessCase.siblings ?? [], request, now),
    ];
  }
  return approveExtension(accessCase, [approvalGiven, approved], grantedDurationMs, facts, now);
}

/**
 * What current policies require in addition. Addresses are resolved first, because a request frozen by an earlier
 * version holds addresses alone.
 */
function missingRequirements(
  { requirement, subjectId }: AccessRequest,
  current: Requirement,
  directory: Directory,
): readonly Demand[] {
  return missingDemands(
    withApproversResolved(requirement, directory, subjectId),
    withApproversResolved(current, directory, subjectId),
  );
}

/** The duration of the grant to extend, so far. */
function grantDurationMs({ grant }: AccessCase): number {
  assert(hasStarted(grant), "an extension requires its started grant");
  return grant.expiresAt - grant.startedAt;
}

function approveExtension(
  accessCase: AccessCase,
  events: readonly RequestEvent[],
  grantedDurationMs: number,
  facts: ApprovalFacts,
  now: Instant,
): Decision {
  const { request, grant } = accessCase;
  assert(hasStarted(grant), "an extension requires its started grant");
  if (facts.lockdown) return refuseLockdown();
  if (grant.phase !== "ACTIVE" || now >= grant.expiresAt) {
    return refuse("not_active", "The access this would extend is already over.");
  }
  return [
    ...onRequest(request, [...events, { type: "ExtensionCompleted", at: now, by: facts.by }]),
    onGrant(grant, {
      type: "GrantExtended",
      at: now,
      by: facts.by,
      expiresAt: plus(grant.expiresAt, grantedDurationMs),
      extension: request.id,
    }),
  ];
}

function denyByPolicy(refusal: Refusal, facts: ApprovalFacts, now: Instant): RequestEvent {
  const denial = facts.current.selections.flatMap(({ selection }) =>
    selection.kind === "denied" ? [selection.policy] : [],
  )[0];
  const by: Actor =
    denial === undefined
      ? { type: "policy", id: "none", name: "no policy", via: "policy" }
      : { type: "policy", id: denial.id, name: denial.name, via: "policy" };
  return {
    type: "RequestDenied",
    at: now,
    by,
    reason: refusal.detail,
    ...(denial && { policyId: denial.id }),
  };
}

/** The shortest duration any approver gave. */
function shortestDuration(request: AccessRequest): number {
  return Math.min(request.durationMs, ...request.votes.map((vote) => vote.durationMs ?? request.durationMs));
}
