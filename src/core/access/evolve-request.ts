import type { AccessRequest, Actor, AskedApprover, StageOpening } from "./access-request.ts";
import { assert, assertNever } from "../values/assert.ts";
import type { RequestEvent } from "./events.ts";
import type { Instant } from "../values/ids.ts";
import { withAdded } from "../policy/requirement.ts";

/**
 * Applies an event to a request. An event that does not fit the state is a bug and throws, because storing it would
 * revive or overwrite what is final. Every event that `decide…` returns fits.
 */
export function evolveRequest(request: AccessRequest | undefined, event: RequestEvent): AccessRequest {
  if (event.type === "RequestSubmitted") {
    assert(request === undefined, "RequestSubmitted requires no earlier request");
    return event.request;
  }
  assert(request !== undefined, `${event.type} requires a request`);
  switch (event.type) {
    case "RequestAutoApproved":
    case "BreakGlassUsed":
    case "RequestApproved":
      return approve(request, event);
    case "ApprovalGiven":
    case "ApprovalDenied":
    case "StagesAdded":
    case "ApprovalReminded":
    case "ApprovalEscalated":
    case "ApproversChanged":
    case "RequestStranded":
    case "RequestReachable":
      return evolvePending(request, event);
    case "RequestDenied":
      assert(request.phase === "PENDING", "RequestDenied requires PENDING");
      return end(request, "DENIED", event.at, event.by, event.reason);
    case "RequestCancelled":
      assert(hasNotStarted(request), "RequestCancelled requires PENDING or APPROVED");
      return end(request, "CANCELLED", event.at, event.by, event.reason);
    case "RequestTimedOut":
      return timeOut(request, event);
    case "ApprovedRequestRevoked":
      assert(request.phase === "APPROVED", "ApprovedRequestRevoked requires APPROVED");
      return end(request, "REVOKED", event.at, event.by, event.reason);
    case "ExtensionCompleted":
      assert(
        request.phase === "APPROVED" && request.extension !== undefined,
        "ExtensionCompleted requires an APPROVED extension",
      );
      return { ...end(request, "COMPLETED", event.at, event.by, "extended"), decidedAt: request.decidedAt };
    case "ApprovalsFrozen":
      assert(
        request.phase !== "PENDING" && request.decidedApprovals === undefined,
        "ApprovalsFrozen requires a decided request without frozen approvals",
      );
      return { ...request, decidedApprovals: event.approvals };
    case "RequestPreparing":
      assert(request.phase === "APPROVED", "RequestPreparing requires APPROVED");
      return { ...request, grantId: event.grantId };
    case "RequestFailed":
      assert(request.phase === "APPROVED", "RequestFailed requires APPROVED");
      return end(request, "FAILED", event.at, event.by, event.reason);
    case "RequestClaimed":
    case "BreakGlassReviewed":
    case "BreakGlassReviewOverdue":
      return evolveApproved(request, event);
    default:
      return assertNever(event);
  }
}

function hasNotStarted(request: AccessRequest): boolean {
  return request.phase === "PENDING" || request.phase === "APPROVED";
}

type EventOf<Type extends RequestEvent["type"]> = Extract<RequestEvent, { type: Type }>;

function approve(
  request: AccessRequest,
  event: EventOf<"RequestAutoApproved" | "BreakGlassUsed" | "RequestApproved">,
): AccessRequest {
  assert(request.phase === "PENDING", `${event.type} requires PENDING`);
  return {
    ...request,
    phase: "APPROVED",
    claimDeadline: event.claimDeadline,
    grantedDurationMs: event.type === "RequestApproved" ? event.grantedDurationMs : request.durationMs,
    decidedAt: event.at,
    decidedBy: event.by,
  };
}

function evolvePending(
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
  assert(request.phase === "PENDING", `${event.type} requires PENDING`);
  switch (event.type) {
    case "ApprovalDenied":
      return { ...request, votes: [...request.votes, event.vote] };
    case "ApprovalGiven":
      return openStages({ ...request, votes: [...request.votes, event.vote] }, event);
    case "StagesAdded": {
      const requirement = withAdded(request.requirement, event.demands);
      return openStages({ ...request, requirement, revision: event.revision }, event);
    }
    case "ApprovalReminded":
      return updateOpening(request, event.stage, (opening) => ({ ...opening, reminded: event.count }));
    case "ApprovalEscalated":
      return {
        ...updateOpening(request, event.stage, (opening) => ({ ...opening, level: event.level })),
        asked: [...request.asked, ...event.people],
      };
    case "ApproversChanged":
      return { ...request, asked: updateAsked(request.asked, event) };
    case "RequestStranded":
      return { ...request, stranded: { since: event.at, stage: event.stage, until: null } };
    case "RequestReachable":
      assert(request.stranded !== undefined, "RequestReachable requires a stranded request");
      return { ...request, stranded: { ...request.stranded, until: event.at } };
    default:
      return assertNever(event);
  }
}

function updateAsked(
  asked: AccessRequest["asked"],
  { at, joined, left }: EventOf<"ApproversChanged">,
): AccessRequest["asked"] {
  const kept = asked.filter((before) => !joined.some((person) => isSameAsk(before, person)));
  return [
    ...kept.map((before) =>
      left.some((person) => isSameAsk(before, person)) ? { ...before, until: at } : before,
    ),
    ...joined,
  ];
}

function isSameAsk(left: AskedApprover, right: AskedApprover): boolean {
  return left.identityId === right.identityId && left.stage === right.stage;
}

function openStages(request: AccessRequest, event: EventOf<"ApprovalGiven" | "StagesAdded">): AccessRequest {
  const openings = event.opened.map((stage) => ({ stage, at: event.at, reminded: 0, level: 0 }));
  return {
    ...request,
    openings: [...request.openings, ...openings],
    asked: [...request.asked, ...event.asked],
  };
}

function updateOpening(
  request: AccessRequest,
  stage: number,
  change: (opening: StageOpening) => StageOpening,
): AccessRequest {
  assert(
    request.openings.some((opening) => opening.stage === stage),
    `stage ${stage} must be open`,
  );
  return {
    ...request,
    openings: request.openings.map((opening) => (opening.stage === stage ? change(opening) : opening)),
  };
}

/** Ends the request at its deadline, however late that was noticed. */
function timeOut(request: AccessRequest, event: EventOf<"RequestTimedOut">): AccessRequest {
  const phase = event.waitedFor === "approval" ? "PENDING" : "APPROVED";
  assert(request.phase === phase, `RequestTimedOut requires ${phase}`);
  const deadline = event.waitedFor === "approval" ? request.approvalDeadline : request.claimDeadline;
  const reason = event.waitedFor === "approval" ? "nobody decided in time" : "not claimed in time";
  return end(request, "TIMED_OUT", deadline ?? event.at, event.by, reason);
}

function evolveApproved(
  request: AccessRequest,
  event: EventOf<"RequestClaimed" | "BreakGlassReviewed" | "BreakGlassReviewOverdue">,
): AccessRequest {
  if (event.type === "RequestClaimed") {
    assert(request.phase === "APPROVED", "RequestClaimed requires APPROVED");
    const { breakGlass } = request;
    return {
      ...request,
      phase: "CLAIMED",
      grantId: event.grantId,
      ...(breakGlass && { breakGlass: { ...breakGlass, reviewDueAt: event.reviewDueAt } }),
    };
  }
  const { breakGlass } = request;
  assert(breakGlass !== undefined, `${event.type} requires break-glass access`);
  assert(
    request.phase === "APPROVED" || request.phase === "CLAIMED",
    `${event.type} requires APPROVED or CLAIMED`,
  );
  return event.type === "BreakGlassReviewed"
    ? { ...request, breakGlass: { ...breakGlass, reviews: [...breakGlass.reviews, event.review] } }
    : { ...request, breakGlass: { ...breakGlass, overdueAt: event.at } };
}

function end(
  request: AccessRequest,
  phase: AccessRequest["phase"],
  at: Instant,
  by: Actor,
  reason: string,
): AccessRequest {
  const decidedAt = phase === "DENIED" ? at : request.decidedAt;
  return { ...request, phase, endedAt: at, endReason: reason, decidedAt, decidedBy: by };
}
