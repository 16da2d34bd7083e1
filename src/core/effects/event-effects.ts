import type { AccessRequest } from "../access/access-request.ts";
import type { Recorded } from "../access/events.ts";
import type { Grant } from "../access/grant.ts";
import { isSettled } from "../access/target.ts";
import type { IdentityId } from "../values/ids.ts";
import type { Effect } from "./effects.ts";
import type { Notice, NoticeKind } from "./notices.ts";

/** The effects at targets that follow from an event. `grant` is its state after the event. */
export function targetEffectsOf({ event }: Recorded, grant: Grant): readonly Effect[] {
  const effectPerTarget = (kind: "provision" | "take_back"): readonly Effect[] =>
    grant.targets.flatMap((target) =>
      isSettled(target) ? [] : [{ kind, grantId: grant.id, connector: target.spec.connector }],
    );
  switch (event.type) {
    case "GrantPrepared":
    case "GrantExtended":
      return effectPerTarget("provision");
    case "GrantAbandoned":
    case "GrantExpired":
    case "GrantCompleted":
    case "GrantRevoked":
      return effectPerTarget("take_back");
    default:
      return [];
  }
}

/** The table from events to notices. `request` is its state after the event. */
export function noticesOf(recorded: Recorded, request: AccessRequest): readonly Notice[] {
  const { event } = recorded;
  switch (event.type) {
    case "RequestSubmitted":
      return event.request.breakGlass === undefined
        ? [{ notice: "submitted", people: identityIds(event.request.asked) }]
        : [];
    case "ApprovalGiven":
    case "StagesAdded":
      return noticeTo("submitted", event.asked);
    case "ApprovalReminded":
      return [{ notice: "reminder", people: identityIds(event.people) }];
    case "ApprovalEscalated":
      return [{ notice: "escalated", people: identityIds(event.people) }];
    // The card sent in the same commit already shows the automatic approval.
    case "RequestAutoApproved":
      return [];
    // An extension's approval is reported by GrantExtended.
    case "RequestApproved":
      return request.extension === undefined ? [noticeOf("approved")] : [];
    case "RequestDenied":
      return [noticeOf("denied")];
    case "RequestCancelled":
      return [noticeOf("cancelled")];
    case "RequestTimedOut":
      return [noticeOf("timed_out")];
    case "ApproversChanged":
      return [...noticeTo("approver_added", event.joined), ...noticeTo("approver_removed", event.left)];
    case "RequestStranded":
      return [noticeOf("stranded")];
    case "RequestReachable":
      return [noticeOf("reachable")];
    case "RequestFailed":
      return [noticeOf("failed")];
    case "TargetRevokeOverdue":
      return [noticeOf("target_overdue")];
    case "BreakGlassUsed":
      return [noticeOf("break_glass_used")];
    case "BreakGlassReviewed":
      return [noticeOf("break_glass_reviewed")];
    case "BreakGlassReviewOverdue":
      return [noticeOf("review_overdue")];
    case "GrantStarted":
      return request.breakGlass === undefined
        ? [noticeOf("started")]
        : [noticeOf("started"), noticeOf("review_due")];
    case "GrantExtended":
      return [noticeOf("extended")];
    case "GrantExpired":
    case "GrantCompleted":
    case "GrantRevoked":
    case "ApprovedRequestRevoked":
      return [noticeOf("ended")];
    case "ApprovalDenied":
    case "ApprovalsFrozen":
    case "RequestPreparing":
    case "RequestClaimed":
    case "ExtensionCompleted":
    case "CredentialRotated":
    case "GrantPrepared":
    case "GrantAbandoned":
    case "TargetAttempted":
    case "TargetProvisioned":
    case "TargetFailed":
    case "TargetRevoked":
    case "TargetAbandoned":
    case "TargetTroubled":
    case "TargetMoved":
    case "TargetDrifted":
      return [];
  }
}

function noticeOf(notice: NoticeKind): Notice {
  return { notice, people: [] };
}

function noticeTo(notice: NoticeKind, people: AccessRequest["asked"]): readonly Notice[] {
  return people.length === 0 ? [] : [{ notice, people: identityIds(people) }];
}

function identityIds(asked: AccessRequest["asked"]): readonly IdentityId[] {
  return [...new Set(asked.map(({ identityId }) => identityId))];
}
