import type { AccessRequest, Actor, UsedKey, Vote } from "../access/access-request.ts";
import {
  approversOf,
  isApproverOf,
  isMet,
  mayDecideVia,
  newlyOpen,
  progressOf,
  selectorsMeaning,
  stagesCounting,
} from "../access/approvals.ts";
import { onGrant, onRequest, type AccessCase, type Decision } from "../access/access-case.ts";
import { siblingsEnded } from "../access/stranded-request.ts";
import type { RequestEvent } from "../access/events.ts";
import { hasStarted } from "../access/grant.ts";
import type { IdentityId, Instant } from "../values/ids.ts";
import { refuseSelfMadeApprover } from "../values/identity-origins.ts";
import { isActive, type Directory, type Identity } from "../values/identity.ts";
import { isRefusal, refuse, type Refusal } from "../values/refusals.ts";
import {
  missingDemands,
  requirementOf,
  stagesOf,
  withAdded,
  withApproversResolved,
} from "../policy/requirement.ts";
import type { Demand, Requirement } from "../policy/requirement-model.ts";
import { revisionOf, type Digest } from "../access/revision.ts";
import { governing, inactive, lockedDown, unfitFor, usesOf, type Assessment } from "../access/assessment.ts";
import { assert } from "../values/assert.ts";
import { formatDuration, formatInstant, plus } from "../values/time.ts";

/** Who presses, and everything about today that the press is judged by. */
export interface ApprovalFacts {
  readonly person: Identity;
  readonly by: Actor;
  /** Whose hand is in how the person is recognised; see `peopleBehind`. */
  readonly behind: readonly IdentityId[];
  readonly directory: Directory;
  /** Today's policies asked with the facts of the submission. */
  readonly current: Assessment;
  readonly subject: Identity;
  readonly lockdown: boolean;
  readonly digest: Digest;
}

export interface Approve {
  readonly durationMs?: number;
  readonly comment?: string;
  /** What the person saw; stale → refused. */
  readonly revision?: string;
}

/** One approval. The last one missing approves the request, unless today's policies demand more or deny. */
export function decideApprove(
  accessCase: AccessCase,
  approval: Approve,
  facts: ApprovalFacts,
  now: Instant,
): Decision {
  const { request } = accessCase;
  const refusal = mayNotDecide(request, facts, now);
  if (refusal !== undefined) return refusal;
  if (approval.revision !== undefined && approval.revision !== request.revision) {
    return refuse(
      "request_changed",
      "The request has changed since you saw it; look at it again before you decide.",
    );
  }
  if (approval.durationMs !== undefined && approval.durationMs > request.durationMs) {
    return refuse(
      "invalid_duration",
      `You can approve for less, not for more than the ${formatDuration(request.durationMs)} asked.`,
    );
  }
  const stages = stagesCounting(request, facts.person.id, facts.by.via, facts.directory);
  if (isRefusal(stages)) return stages;
  const vote = voteOf("APPROVED", request, facts, now, stages, approval);
  const voted = { ...request, votes: [...request.votes, vote] };
  const progress = progressOf(voted, facts.directory);
  const given: RequestEvent = {
    type: "ApprovalGiven",
    at: now,
    by: facts.by,
    vote,
    ...newlyOpen(voted, facts.directory),
  };
  if (!isMet(progress)) return onRequest(request, [given]);
  return completed({ ...accessCase, request: voted }, given, facts, now);
}

/** What follows when every frozen stage is met: today's policies are asked again. */
function completed(
  accessCase: AccessCase,
  given: RequestEvent,
  facts: ApprovalFacts,
  now: Instant,
): Decision {
  const { request } = accessCase;
  if (!isActive(facts.subject)) return inactive(facts.subject);
  const other = accessCase.siblings?.find((one) => one.phase === "APPROVED");
  if (other !== undefined) {
    return refuse("already_decided", `The same access is already approved in ${other.id}.`);
  }
  const chosen = governing(facts.current);
  if (isRefusal(chosen)) {
    return chosen.refused === "policy_denied"
      ? onRequest(request, [given, deniedNow(chosen, facts, now)])
      : chosen;
  }
  const current = requirementOf(chosen);
  const missing = missingNow(request, current.requirement, facts.directory);
  if (missing.length > 0) {
    const requirement = withAdded(request.requirement, missing);
    const grown = { ...request, requirement };
    const added: RequestEvent = {
      type: "StagesAdded",
      at: now,
      by: facts.by,
      demands: missing,
      revision: revisionOf(grown, facts.digest),
      ...newlyOpen(grown, facts.directory),
    };
    return onRequest(request, [given, added]);
  }
  const grantedDurationMs = grantedDuration(request);
  const { extension } = request;
  const totalMs = extension === undefined ? grantedDurationMs : heldMs(accessCase) + grantedDurationMs;
  const unfit = unfitFor(current, request.ticket, totalMs);
  if (unfit !== undefined) return unfit;
  const approved: RequestEvent = {
    type: "RequestApproved",
    at: now,
    by: facts.by,
    grantedDurationMs,
    claimDeadline: plus(now, request.requirement.claimWindowMs),
    uses: usesOf(chosen),
  };
  if (extension === undefined) {
    return [
      ...onRequest(request, [given, approved]),
      ...siblingsEnded(accessCase.siblings ?? [], request, now),
    ];
  }
  return extended(accessCase, [given, approved], grantedDurationMs, facts, now);
}

/** Compared by the people that addresses mean now: a request frozen by an earlier version holds addresses alone. */
function missingNow(
  { requirement, subjectId }: AccessRequest,
  current: Requirement,
  directory: Directory,
): readonly Demand[] {
  return missingDemands(
    withApproversResolved(requirement, directory, subjectId),
    withApproversResolved(current, directory, subjectId),
  );
}

/** What the grant to be extended lasts so far. */
function heldMs({ grant }: AccessCase): number {
  assert(hasStarted(grant), "an extension is decided together with its grant");
  return grant.expiresAt - grant.startedAt;
}

function extended(
  accessCase: AccessCase,
  events: readonly RequestEvent[],
  grantedDurationMs: number,
  facts: ApprovalFacts,
  now: Instant,
): Decision {
  const { request, grant } = accessCase;
  assert(hasStarted(grant), "an extension is decided together with its grant");
  if (facts.lockdown) return lockedDown();
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

function deniedNow(refusal: Refusal, facts: ApprovalFacts, now: Instant): RequestEvent {
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

/** The smallest duration any approver gave. */
function grantedDuration(request: AccessRequest): number {
  return Math.min(request.durationMs, ...request.votes.map((vote) => vote.durationMs ?? request.durationMs));
}

/** One denial ends it, also by somebody who approved before. */
export function decideDeny(
  accessCase: AccessCase,
  reason: string,
  facts: Pick<ApprovalFacts, "person" | "by" | "directory" | "behind">,
  now: Instant,
): Decision {
  const { request } = accessCase;
  const refusal = mayNotDecide(request, facts, now);
  if (refusal !== undefined) return refusal;
  const mine = stagesOf(request.requirement).filter((stage) =>
    approversOf(request, stage, facts.directory).some((person) => person.id === facts.person.id),
  );
  const here = mine.filter((stage) => mayDecideVia(stage, facts.by.via));
  if (here.length === 0) {
    return refuse(
      "not_an_approver",
      "You can decide this stage, but not from here: its policy names where it is decided.",
    );
  }
  const vote = voteOf(
    "DENIED",
    request,
    facts,
    now,
    here.map((stage) => stage.number),
    { comment: reason },
  );
  return onRequest(request, [
    { type: "ApprovalDenied", at: now, by: facts.by, vote },
    { type: "RequestDenied", at: now, by: facts.by, reason },
  ]);
}

/** Who may decide comes before what state it is in: a stranger learns nothing about the request. */
function mayNotDecide(
  request: AccessRequest,
  facts: Pick<ApprovalFacts, "person" | "directory" | "behind">,
  now: Instant,
): Refusal | undefined {
  const { person } = facts;
  if (person.id === request.subjectId || person.id === request.requestedById) {
    return refuse("self_approval", "You cannot decide your own request; you can cancel it.");
  }
  if (!isActive(person)) return inactive(person);
  if (person.kind !== "HUMAN" || !isApproverOf(request, person.id, facts.directory)) {
    return refuse("not_an_approver", "You are not an approver of this request.");
  }
  const ownHand = refuseSelfMadeApprover(request, facts.behind);
  if (ownHand !== undefined) return ownHand;
  if (request.phase === "PENDING") {
    return now < request.approvalDeadline
      ? undefined
      : refuse("approval_window_passed", "Nobody decided in time; the requester can ask again.");
  }
  if (request.phase === "TIMED_OUT" && request.claimDeadline === null) {
    return refuse("approval_window_passed", "Nobody decided in time; the requester can ask again.");
  }
  return refuse("already_decided", alreadyDecided(request));
}

function alreadyDecided(request: AccessRequest): string {
  const who = request.decidedBy?.name ?? "somebody";
  const at = request.endedAt ?? request.decidedAt;
  const when = at === null ? "" : ` at ${formatInstant(at)}`;
  switch (request.phase) {
    case "APPROVED":
    case "CLAIMED":
      return `Already approved by ${who}${when}. To end the access, revoke it.`;
    case "DENIED":
      return `Already denied by ${who}${when}.`;
    case "COMPLETED":
      return `Already approved by ${who}${when}. To end the access, revoke ${request.extension?.of ?? "it"}.`;
    case "CANCELLED":
      return `Already cancelled by ${who}${when}.`;
    case "REVOKED":
      return `Already approved, and revoked by ${who}${when}.`;
    default:
      return `Already over${when}.`;
  }
}

function voteOf(
  decision: Vote["decision"],
  request: AccessRequest,
  facts: Pick<ApprovalFacts, "by" | "person" | "directory">,
  now: Instant,
  stages: readonly number[],
  approval: Pick<Approve, "durationMs" | "comment">,
): Vote {
  const key: UsedKey | undefined = facts.by.key;
  const { id, name, email } = facts.person;
  const counted = stagesOf(request.requirement).filter((stage) => stages.includes(stage.number));
  return {
    by: id,
    name,
    ...(email !== undefined && { email }),
    as: selectorsMeaning(request, counted, id, facts.directory),
    at: now,
    via: facts.by.via,
    decision,
    stages,
    ...(approval.durationMs !== undefined && { durationMs: approval.durationMs }),
    ...(approval.comment !== undefined && { comment: approval.comment }),
    ...(key !== undefined && { key }),
  };
}
