import type { NotifyChannel } from "../access/access-request.ts";
import type { ChangedPeople } from "../access/identity-changes.ts";
import type { GrantId, IdentityId, Instant, KeyId, RequestId } from "../values/ids.ts";
import type { ChatAccount } from "../values/identity.ts";
import type { Audience, Notice, NoticeKind } from "./notices.ts";

/**
 * An action outside the decision, stored in the same commit and run afterwards, at least once. Running it twice has
 * the same result as running it once.
 */
export type Effect =
  /** The request changed: send its notices and update every delivered card. */
  | { readonly kind: "announce"; readonly requestId: RequestId; readonly notices: readonly Notice[] }
  /** An API key was created for this person. */
  | { readonly kind: "announce_key"; readonly keyId: KeyId; readonly identityId: IdentityId }
  /** An API key of this person expires soon, unless it has been deleted. */
  | { readonly kind: "announce_key_expiry"; readonly keyId: KeyId; readonly identityId: IdentityId }
  /** The grant ends soon, unless it was extended or ended in the meantime. */
  | {
      readonly kind: "announce_ending";
      readonly requestId: RequestId;
      readonly grantId: GrantId;
      readonly expiresAt: Instant;
    }
  /** A chat user asks administrators to be linked. */
  | ({ readonly kind: "request_link"; readonly to: readonly IdentityId[] } & LinkRequest)
  /**
   * A person has become reachable in chat: send them the requests that wait for them. `after`: the start of the next
   * batch, 0 for the first.
   */
  | { readonly kind: "announce_waiting"; readonly identityId: IdentityId; readonly after: number }
  /** A chat account was linked to a person. */
  | ({ readonly kind: "announce_link" } & LinkMade)
  /** Administrators must act on the service itself. */
  | { readonly kind: "alert_admins"; readonly alert: ServiceAlert }
  /** Checks whether the approvers were reached. `lost`: delivery to this approver failed for good. */
  | { readonly kind: "check_delivery"; readonly requestId: RequestId; readonly lost: IdentityId | null }
  /**
   * Posts one card, or updates it where it was delivered. `isPostponed`: the platform accepts no more updates for
   * now, and other messages to this recipient must not wait for this one.
   */
  | ({
      readonly kind: "update_card";
      readonly requestId: RequestId;
      readonly audience: Audience;
      readonly isPostponed?: true;
    } & Addressee)
  /** Sends one message once. `deliveryId`: its delivery record, if it has buttons. */
  | ({ readonly kind: "send_note"; readonly about: NoteSubject; readonly deliveryId?: string } & Addressee)
  /** Updates a delivered note that has buttons. `isPostponed`: as above. */
  | ({
      readonly kind: "update_note";
      readonly deliveryId: string;
      readonly about: UpdatedNote;
      readonly isPostponed?: true;
    } & Addressee)
  /** Accounts were linked: update the notes that asked for it. */
  | { readonly kind: "links_made"; readonly accounts: readonly ChatAccount[] }
  /** People changed: reviews the pending requests this may concern, in batches. */
  | {
      readonly kind: "review_approvers";
      /** Null: all requests. */
      readonly change: ChangedPeople | null;
      /** Where the batch starts; 0 for the first request. */
      readonly after: number;
    }
  /** Cancels the open requests and ends the access of a deactivated identity. */
  | { readonly kind: "end_access_of"; readonly identityId: IdentityId }
  /** Makes sure that the object exists at the target until its latest end. */
  | (WithTarget & { readonly kind: "provision" })
  /** Makes sure that nothing is left at the target. */
  | (WithTarget & { readonly kind: "take_back" });

/** One recipient on one surface. */
export interface Addressee {
  readonly surface: NotifyChannel;
  readonly address: string;
  /** Null for a channel. */
  readonly readerId: IdentityId | null;
}

/** What a message is about; its text is made when it is sent. */
export type NoteSubject =
  | {
      readonly topic: "request";
      readonly requestId: RequestId;
      readonly notice: NoticeKind;
      readonly audience: Audience;
    }
  /** `notice` is absent when the key was created. */
  | { readonly topic: "key"; readonly keyId: KeyId; readonly notice?: "key_expiring" }
  | ({ readonly topic: "link" } & LinkRequest)
  | ({ readonly topic: "account_linked" } & LinkMade)
  | { readonly topic: "alert"; readonly alert: ServiceAlert };

/** A link that was made. `byId` is null when it was made by the platform's address of the person. */
export interface LinkMade {
  readonly identityId: IdentityId;
  readonly account: ChatAccount;
  readonly byId: IdentityId | null;
}

/** Why the service creates no new access. */
export type ServiceAlert =
  /** `lastCommitAt`: the last recorded time, which the system clock has not reached. */
  | { readonly name: "clock_behind"; readonly lastCommitAt: Instant; readonly behindMs: number }
  /** The audit log does not contain the last head seen. */
  | { readonly name: "audit_head_differs" }
  /** The disk is full, and the space reserved on it was released. */
  | { readonly name: "disk_full" };

/** What a delivered note with buttons is about. `answer`: a card that a person asked to see. */
export type UpdatedNote =
  | Extract<NoteSubject, { readonly topic: "request" }>
  | { readonly topic: "answer"; readonly requestId: RequestId; readonly audience: Audience }
  | { readonly topic: "linked"; readonly account: ChatAccount };

/** An account without a link, as the platform describes it. Its names are data and give no rights. */
export interface LinkRequest {
  readonly account: ChatAccount;
  readonly displayName: string;
  readonly email: string | null;
  /** The person they seem to be. */
  readonly candidateId: IdentityId | null;
}

/** One target of a grant, which has its spec. */
interface WithTarget {
  readonly grantId: GrantId;
  /** Identifies the target within the grant. */
  readonly connector: string;
}

/** Whether the effect removes access. */
export function removesAccess({ kind }: Effect): boolean {
  return kind === "take_back" || kind === "end_access_of";
}
