import type { AccessRequest, NotifyChannel } from "../access/access-request.ts";
import type { ChangedPeople } from "../access/identity-changes.ts";
import type { Recorded } from "../access/events.ts";
import type { Grant } from "../access/grant.ts";
import type { GrantId, IdentityId, Instant, KeyId, RequestId } from "../values/ids.ts";
import type { ChatAccount } from "../values/identity.ts";
import { isSettled } from "../access/target.ts";
import type { Audience, Notice, NoticeKind } from "./notices.ts";

/**
 * What must happen outside, written in the same commit as the decision and done afterwards, at least once. Running one
 * twice does what running it once does.
 */
export type Effect =
  /** Something about a request has changed: its news go out, and every copy of its card is made true. */
  | { readonly kind: "announce"; readonly requestId: RequestId; readonly notices: readonly Notice[] }
  /** A key was made in somebody's name. */
  | { readonly kind: "announce_key"; readonly keyId: KeyId; readonly identityId: IdentityId }
  /** A key in somebody's name expires soon, unless it is deleted by then. */
  | { readonly kind: "announce_key_expiry"; readonly keyId: KeyId; readonly identityId: IdentityId }
  /** The grant is nearly over, unless it has been prolonged or ended meanwhile. */
  | {
      readonly kind: "announce_ending";
      readonly requestId: RequestId;
      readonly grantId: GrantId;
      readonly expiresAt: Instant;
    }
  /** Somebody at a chat platform asks administrators to be linked. */
  | ({ readonly kind: "request_link"; readonly to: readonly IdentityId[] } & LinkRequest)
  /**
   * Somebody can be reached in chat who could not before: they get what has been waiting for them. `after`: where the
   * next batch of waiting requests begins, 0 for the first.
   */
  | { readonly kind: "announce_waiting"; readonly identityId: IdentityId; readonly after: number }
  /** An account of a chat platform was linked to somebody. */
  | ({ readonly kind: "announce_link" } & LinkMade)
  /** Something about the service itself needs an administrator. */
  | { readonly kind: "alert_admins"; readonly alert: ServiceAlert }
  /** Finds out whether the people asked have been told. `lost`: a delivery to this approver was given up. */
  | { readonly kind: "check_delivery"; readonly requestId: RequestId; readonly lost: IdentityId | null }
  /**
   * Makes one copy of a card true: posts it, or rewrites it where it is. `isPostponed`: the platform takes no more
   * rewrites for now, and what else its reader is told must not wait behind this one.
   */
  | ({
      readonly kind: "update_card";
      readonly requestId: RequestId;
      readonly audience: Audience;
      readonly isPostponed?: true;
    } & Addressee)
  /** Tells one thing once. `copyId`: where the message is recorded if it has buttons. */
  | ({ readonly kind: "send_note"; readonly about: NoteSubject; readonly deliveryId?: string } & Addressee)
  /** Makes a note with buttons true, as every copy of a card is. `isPostponed`: as above. */
  | ({
      readonly kind: "update_note";
      readonly deliveryId: string;
      readonly about: UpdatedNote;
      readonly isPostponed?: true;
    } & Addressee)
  /** Accounts were linked, so nobody has to link them any more. */
  | { readonly kind: "links_made"; readonly accounts: readonly ChatAccount[] }
  /** People have changed: looks at the waiting requests that may concern them, batch by batch. */
  | {
      readonly kind: "review_approvers";
      /** Null: at all of them. */
      readonly change: ChangedPeople | null;
      /** Where the batch begins; 0: at the first request. */
      readonly after: number;
    }
  /** Cancel what this identity has open and end what it holds: it was deactivated. */
  | { readonly kind: "end_access_of"; readonly identityId: IdentityId }
  /** Make sure that the target is there until its latest end. */
  | (WithTarget & { readonly kind: "provision" })
  /** Make sure that nothing is left at the target. */
  | (WithTarget & { readonly kind: "take_back" });

/** One recipient on one surface. */
export interface Addressee {
  readonly surface: NotifyChannel;
  readonly address: string;
  /** Null: a channel. */
  readonly readerId: IdentityId | null;
}

/** What a message is about; its words are made when it is sent. */
export type NoteSubject =
  | {
      readonly topic: "request";
      readonly requestId: RequestId;
      readonly notice: NoticeKind;
      readonly audience: Audience;
    }
  /** `notice`: absent when the key was made. */
  | { readonly topic: "key"; readonly keyId: KeyId; readonly notice?: "key_expiring" }
  | ({ readonly topic: "link" } & LinkRequest)
  | ({ readonly topic: "account_linked" } & LinkMade)
  | { readonly topic: "alert"; readonly alert: ServiceAlert };

/** A link that was made; null: by the platform's word for their address. */
export interface LinkMade {
  readonly identityId: IdentityId;
  readonly account: ChatAccount;
  readonly byId: IdentityId | null;
}

/** Why the service gives no new access. */
export type ServiceAlert =
  /** `lastCommitAt`: the time that the system clock has not reached. */
  | { readonly name: "clock_behind"; readonly lastCommitAt: Instant; readonly behindMs: number }
  /** The audit log does not contain the last head seen. */
  | { readonly name: "audit_head_differs" }
  /** The disk is full, and what was reserved on it was given up. */
  | { readonly name: "disk_full" };

/** What a note with buttons that is out there is about. `answer`: a card that somebody asked to see. */
export type UpdatedNote =
  | Extract<NoteSubject, { readonly topic: "request" }>
  | { readonly topic: "answer"; readonly requestId: RequestId; readonly audience: Audience }
  | { readonly topic: "linked"; readonly account: ChatAccount };

/** An account without a link, as the platform describes it; its names are data, never authority. */
export interface LinkRequest {
  readonly account: ChatAccount;
  readonly displayName: string;
  readonly email: string | null;
  /** Who they seem to be. */
  readonly candidateId: IdentityId | null;
}

/** One target; the order is the grant's. */
interface WithTarget {
  readonly grantId: GrantId;
  /** Names the target among the grant's, and the group that is down together. */
  readonly connector: string;
}

/** Whether the effect takes access away. */
export function takesAccessAway({ kind }: Effect): boolean {
  return kind === "take_back" || kind === "end_access_of";
}

/** What is to be done at which target. `grant` is as it stands after the event. */
export function targetEffectsOf({ event }: Recorded, grant: Grant): readonly Effect[] {
  const each = (kind: "provision" | "take_back"): readonly Effect[] =>
    grant.targets.flatMap((target) =>
      isSettled(target) ? [] : [{ kind, grantId: grant.id, connector: target.spec.connector }],
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

/** The one table from events to news. `request` is as it stands after the event. */
export function noticesOf(recorded: Recorded, request: AccessRequest): readonly Notice[] {
  const { event } = recorded;
  switch (event.type) {
    case "RequestSubmitted":
      return event.request.breakGlass === undefined
        ? [{ notice: "submitted", people: ids(event.request.asked) }]
        : [];
    case "ApprovalGiven":
    case "StagesAdded":
      return noticeTo("submitted", event.asked);
    case "ApprovalReminded":
      return [{ notice: "reminder", people: ids(event.people) }];
    case "ApprovalEscalated":
      return [{ notice: "escalated", people: ids(event.people) }];
    // What was approved at birth says so on the card that goes out in the same commit.
    case "RequestAutoApproved":
      return [];
    // An extension's approval is told as what it does to the grant.
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
  return people.length === 0 ? [] : [{ notice, people: ids(people) }];
}

function ids(asked: AccessRequest["asked"]): readonly IdentityId[] {
  return [...new Set(asked.map((one) => one.identityId))];
}
