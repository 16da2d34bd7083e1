import type { AccessRequest, Actor, AskedApprover, StageOpening } from "./access-request.ts";
import { assert, assertNever } from "../values/assert.ts";
import type { RequestEvent } from "./events.ts";
import type { Instant } from "../values/ids.ts";
import { withAdded } from "../policy/requirement.ts";

/**
 * The state after `event`. Total over what `decide…` returns: an event that does not fit the state is a bug of ours and
 * throws, because writing it would revive or overwrite what is final.
 */
export function evolveRequest(request: AccessRequest | undefined, event: RequestEvent): AccessRequest {
  if (event.type === "RequestSubmitted") {
    assert(request === undefined, "a request is submitted once");
    return event.request;
  }
  assert(request !== undefined, `${event.type} needs a request`);
  switch (event.type) {
    case "RequestAutoApproved":
    case "BreakGlassUsed":
    case "RequestApproved":
      return approved(request, event);
    case "ApprovalGiven":
    case "ApprovalDenied":
    case "StagesAdded":
    case "ApprovalReminded":
    case "ApprovalEscalated":
    case "ApproversChanged":
    case "RequestStranded":
    case "RequestReachable":
      return stillPending(request, event);
    case "RequestDenied":
      assert(request.phase === "PENDING", "only a pending request is denied");
      return ended(request, "DENIED", event.at, event.by, event.reason);
    case "RequestCancelled":
      assert(isUnstarted(request), "only an unstarted request is cancelled");
      return ended(request, "CANCELLED", event.at, event.by, event.reason);
    case "RequestTimedOut":
      return timedOut(request, event);
    case "ApprovedRequestRevoked":
      assert(request.phase === "APPROVED", "only an approved request is revoked here");
      return ended(request, "REVOKED", event.at, event.by, event.reason);
    case "ExtensionCompleted":
      assert(
        request.phase === "APPROVED" && request.extension !== undefined,
        "only an approved extension completes",
      );
      return { ...ended(request, "COMPLETED", event.at, event.by, "extended"), decidedAt: request.decidedAt };
    case "ApprovalsFrozen":
      assert(
        request.phase !== "PENDING" && request.decidedApprovals === undefined,
        "approvals are frozen once, when the request no longer waits",
      );
      return { ...request, decidedApprovals: event.approvals };
    case "RequestPreparing":
      assert(request.phase === "APPROVED", "only an approved request is prepared");
      return { ...request, grantId: event.grantId };
    case "RequestFailed":
      assert(request.phase === "APPROVED", "only an approved request fails");
      return ended(request, "FAILED", event.at, event.by, event.reason);
    case "RequestClaimed":
    case "BreakGlassReviewed":
    case "BreakGlassReviewOverdue":
      return afterApproval(request, event);
    default:
      return assertNever(event);
  }
}

function isUnstarted(request: AccessRequest): boolean {
  return request.phase === "PENDING" || request.phase === "APPROVED";
}

type EventOf<Type extends RequestEvent["type"]> = Extract<RequestEvent, { type: Type }>;

function approved(
  request: AccessRequest,
  event: EventOf<"RequestAutoApproved" | "BreakGlassUsed" | "RequestApproved">,
): AccessRequest {
  assert(request.phase === "PENDING", "only a pending request is approved");
  return {
    ...request,
    phase: "APPROVED",
    claimDeadline: event.claimDeadline,
    grantedDurationMs: event.type === "RequestApproved" ? event.grantedDurationMs : request.durationMs,
    decidedAt: event.at,
    decidedBy: event.by,
  };
}

function stillPending(
  request: AccessRequest,
  event: EventOf<
    | "ApprovalGiven"
    | "ApprovalDenied"
    | "StagesAdded"
    | "ApprovalReminded"
    | "ApprovalEscalated"
    | "ApproversChanged"
    | "RequestStranded"
    | "RequestReachable"
  >,
): AccessRequest {
  assert(request.phase === "PENDING", `${event.type} needs a pending request`);
  switch (event.type) {
    case "ApprovalDenied":
      return { ...request, votes: [...request.votes, event.vote] };
    case "ApprovalGiven":
      return opened({ ...request, votes: [...request.votes, event.vote] }, event);
    case "StagesAdded": {
      const requirement = withAdded(request.requirement, event.demands);
      return opened({ ...request, requirement, revision: event.revision }, event);
    }
    case "ApprovalReminded":
      return changedOpening(request, event.stage, (opening) => ({ ...opening, reminded: event.count }));
    case "ApprovalEscalated":
      return {
        ...changedOpening(request, event.stage, (opening) => ({ ...opening, level: event.level })),
        asked: [...request.asked, ...event.people],
      };
    case "ApproversChanged":
      return { ...request, asked: askedAfter(request.asked, event) };
    case "RequestStranded":
      return { ...request, stranded: { since: event.at, stage: event.stage, until: null } };
    case "RequestReachable":
      assert(request.stranded !== undefined, "only a stranded request becomes reachable");
      return { ...request, stranded: { ...request.stranded, until: event.at } };
    default:
      return assertNever(event);
  }
}

function askedAfter(
  asked: AccessRequest["asked"],
  { at, joined, left }: EventOf<"ApproversChanged">,
): AccessRequest["asked"] {
  const kept = asked.filter((one) => !joined.some((other) => isSame(one, other)));
  return [
    ...kept.map((one) => (left.some((other) => isSame(one, other)) ? { ...one, until: at } : one)),
    ...joined,
  ];
}

function isSame(one: AskedApprover, other: AskedApprover): boolean {
  return one.identityId === other.identityId && one.stage === other.stage;
}

function opened(request: AccessRequest, event: EventOf<"ApprovalGiven" | "StagesAdded">): AccessRequest {
  const openings = event.opened.map((stage) => ({ stage, at: event.at, reminded: 0, level: 0 }));
  return {
    ...request,
    openings: [...request.openings, ...openings],
    asked: [...request.asked, ...event.asked],
  };
}

function changedOpening(
  request: AccessRequest,
  stage: number,
  change: (opening: StageOpening) => StageOpening,
): AccessRequest {
  assert(
    request.openings.some((opening) => opening.stage === stage),
    `stage ${stage} is open`,
  );
  return {
    ...request,
    openings: request.openings.map((opening) => (opening.stage === stage ? change(opening) : opening)),
  };
}

/** Over at its deadline, whenever that was noticed. */
function timedOut(request: AccessRequest, event: EventOf<"RequestTimedOut">): AccessRequest {
  const phase = event.waitedFor === "approval" ? "PENDING" : "APPROVED";
  assert(request.phase === phase, `only a request that waits for its ${event.waitedFor} times out so`);
  const deadline = event.waitedFor === "approval" ? request.approvalDeadline : request.claimDeadline;
  const reason = event.waitedFor === "approval" ? "nobody decided in time" : "not claimed in time";
  return ended(request, "TIMED_OUT", deadline ?? event.at, event.by, reason);
}

function afterApproval(
  request: AccessRequest,
  event: EventOf<"RequestClaimed" | "BreakGlassReviewed" | "BreakGlassReviewOverdue">,
): AccessRequest {
  if (event.type === "RequestClaimed") {
    assert(request.phase === "APPROVED", "only an approved request is claimed");
    const { breakGlass } = request;
    return {
      ...request,
      phase: "CLAIMED",
      grantId: event.grantId,
      ...(breakGlass && { breakGlass: { ...breakGlass, reviewDueAt: event.reviewDueAt } }),
    };
  }
  const { breakGlass } = request;
  assert(breakGlass !== undefined, "only break-glass access is reviewed");
  assert(request.phase === "APPROVED" || request.phase === "CLAIMED", "only taken access is reviewed");
  return event.type === "BreakGlassReviewed"
    ? { ...request, breakGlass: { ...breakGlass, reviews: [...breakGlass.reviews, event.review] } }
    : { ...request, breakGlass: { ...breakGlass, overdueAt: event.at } };
}

function ended(
  request: AccessRequest,
  phase: AccessRequest["phase"],
  at: Instant,
  by: Actor,
  reason: string,
): AccessRequest {
  const decidedAt = phase === "DENIED" ? at : request.decidedAt;
  return { ...request, phase, endedAt: at, endReason: reason, decidedAt, decidedBy: by };
}
