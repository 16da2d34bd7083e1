import type { AccessRequest } from "./access-request.ts";
import type { Recorded } from "./events.ts";
import type { Grant } from "./grant.ts";
import type { GrantId, IdentityId, RequestId } from "./ids.ts";
import { isCleared } from "./target.ts";

/** What people are told about. One word each; the sentence is made where it is sent. */
export type NoticeKind =
  | "submitted"
  | "reminder"
  | "escalated"
  | "approved"
  | "denied"
  | "cancelled"
  | "timed_out"
  | "failed"
  | "started"
  | "extended"
  | "ended"
  | "break_glass_used"
  | "break_glass_reviewed"
  | "review_overdue"
  | "key_made";

/**
 * What must happen outside, written in the same commit as the decision and done afterwards, at least once. Running one
 * twice does what running it once does.
 */
export type Effect =
  | {
      readonly kind: "notify";
      readonly notice: NoticeKind;
      readonly requestId: RequestId | null;
      /** Who must hear of it. */
      readonly to: readonly IdentityId[];
      /** Channel references that carry the message too. */
      readonly channels: readonly string[];
    }
  /** Cancel what this identity has open and end what it holds: it was deactivated. */
  | { readonly kind: "end_access_of"; readonly identityId: IdentityId }
  /** Make sure that the target is there until its latest end. */
  | (AtTarget & { readonly kind: "provision" })
  /** Make sure that nothing is left at the target. */
  | (AtTarget & { readonly kind: "take_back" });

/** One target; the order is the grant's. */
interface AtTarget {
  readonly grantId: GrantId;
  /** Names the target among the grant's, and the group that is down together. */
  readonly connector: string;
}

/**
 * The one table from events to effects: who is told what, and what is to be done at which target. `request` and `grant`,
 * if the event is about one, are as they stand after the event.
 */
export function effectsOf(recorded: Recorded, request: AccessRequest, grant?: Grant): readonly Effect[] {
  return [...noticesOf(recorded, request), ...(grant === undefined ? [] : targetEffectsOf(recorded, grant))];
}

function targetEffectsOf({ event }: Recorded, grant: Grant): readonly Effect[] {
  const each = (kind: "provision" | "take_back"): readonly Effect[] =>
    grant.targets.flatMap((target) =>
      isCleared(target) ? [] : [{ kind, grantId: grant.id, connector: target.order.connector }],
    );
  switch (event.type) {
    case "GrantPrepared":
    case "GrantExtended":
      return each("provision");
    case "GrantAbandoned":
    case "GrantExpired":
    case "GrantCompleted":
    case "GrantRevoked":
      return each("take_back");
    default:
      return [];
  }
}

function noticesOf(recorded: Recorded, request: AccessRequest): readonly Effect[] {
  const { event } = recorded;
  const { channels } = request.requirement;
  const requester = [...new Set([request.subjectId, request.requestedById])];
  const tell = (
    notice: NoticeKind,
    to: readonly IdentityId[],
    also: readonly string[] = [],
  ): readonly Effect[] =>
    to.length + also.length === 0
      ? []
      : [{ kind: "notify", notice, requestId: request.id, to, channels: also }];
  switch (event.type) {
    case "RequestSubmitted":
      return event.request.asked.length === 0 ? [] : tell("submitted", ids(event.request.asked), channels);
    case "ApprovalGiven":
    case "StagesAdded":
      return event.asked.length === 0 ? [] : tell("submitted", ids(event.asked), channels);
    case "ApprovalReminded":
      return tell("reminder", ids(event.people));
    case "ApprovalEscalated":
      return tell("escalated", ids(event.people), channels);
    case "RequestAutoApproved":
    case "RequestApproved":
      return tell("approved", requester, channels);
    case "RequestDenied":
      return tell("denied", requester, channels);
    case "RequestCancelled":
      return tell("cancelled", [...requester, ...ids(request.asked)], channels);
    case "RequestTimedOut":
      return tell("timed_out", requester, channels);
    case "RequestFailed":
      return tell("failed", requester, channels);
    case "BreakGlassUsed":
      return tell("break_glass_used", requester, request.breakGlass?.notify ?? []);
    case "BreakGlassReviewed":
      return tell("break_glass_reviewed", requester, request.breakGlass?.notify ?? []);
    case "BreakGlassReviewOverdue":
      return tell("review_overdue", requester, request.breakGlass?.notify ?? []);
    case "GrantStarted":
      return tell("started", requester, channels);
    case "GrantExtended":
      return tell("extended", requester, channels);
    case "GrantExpired":
    case "GrantCompleted":
    case "GrantRevoked":
    case "ApprovedRequestRevoked":
      return tell("ended", requester, channels);
    case "ApprovalDenied":
    case "RequestPreparing":
    case "RequestClaimed":
    case "ExtensionCompleted":
    case "CredentialRotated":
    case "GrantPrepared":
    case "GrantAbandoned":
    case "TargetAttempted":
    case "TargetProvisioned":
    case "TargetFailed":
    case "TargetRevokeOverdue":
    case "TargetRevoked":
    case "TargetDrifted":
      return [];
  }
}

function ids(asked: AccessRequest["asked"]): readonly IdentityId[] {
  return [...new Set(asked.map((one) => one.identityId))];
}
