import type { AccessRequest, NotifyChannel } from "../../core/access/access-request.ts";
import type { Effect } from "../../core/effects/effects.ts";
import type { Grant, CheckedGrant } from "../../core/access/grant.ts";
import type {
  CredentialId,
  EffectId,
  IdentityId,
  Instant,
  KeyId,
  RequestId,
  Scope,
} from "../../core/values/ids.ts";
import type { Audience, NoticeKind } from "../../core/effects/notices.ts";
import type { Identity, Role } from "../../core/values/identity.ts";

/*
 * Stored records, as the services see them.
 */

/** A record with the version it was read at. Versions start at 1; 0 means "must not exist yet". */
export interface Versioned<T> {
  readonly value: T;
  readonly version: number;
}

/** The stored answer of a call with an Idempotency-Key. */
export interface IdempotencyRecord {
  readonly keyId: KeyId;
  /** Method and path. */
  readonly call: string;
  readonly idempotencyKey: string;
  /** SHA-256 of the request body. */
  readonly bodyHash: string;
  readonly status: number;
  /** JSON without any token. */
  readonly body: string;
  readonly at: Instant;
}

/** The position of a follower of the audit log: a webhook (`webhook:siem`) or the audit file (`file`). */
export interface Cursor {
  readonly name: string;
  /** Number of the last record it has processed; 0 before the first. */
  readonly seq: number;
  /** Failed attempts at the next record. */
  readonly attempts: number;
  /** Since when every attempt has failed; null while they succeed. */
  readonly failingSince: Instant | null;
  /** When to retry; null: now. */
  readonly dueAt: Instant | null;
  /** Why it was disabled. */
  readonly disabled: string | null;
  /** Hash of its configuration, to detect changes. */
  readonly configuration: string;
}

export interface ApiKey {
  readonly id: KeyId;
  readonly identityId: IdentityId;
  readonly roles: readonly Role[];
  readonly name: string | null;
  /** SHA-256, lower-case hex. */
  readonly hash: string;
  readonly last4: string;
  readonly mintedBy: IdentityId;
  /** `mintedBy` and everyone who could act as them at that time; absent on keys of earlier versions. */
  readonly madeBy?: readonly IdentityId[];
  readonly createdAt: Instant;
  /** Null only for the built-in key. */
  readonly expiresAt: Instant | null;
  readonly deletedAt: Instant | null;
}

/** The access that a presented `kd_jit_` token belongs to, read in one query. */
export interface PresentedCredential {
  readonly credentialId: CredentialId;
  readonly last4: string;
  /** Whether it is the grant's current credential; false once it was rotated. */
  readonly current: boolean;
  readonly firstUsedAt: Instant | null;
  readonly grant: CheckedGrant;
  readonly identity: Identity;
}

export interface RequestFilter {
  /** Only what this viewer may see: their own, those they requested, and those their selectors decide. Absent: all. */
  readonly visibleTo?: Viewer;
  /** Only those that these selectors decide. */
  readonly approver?: Viewer;
  /** Only emergencies that these selectors review. */
  readonly reviewer?: Viewer;
  readonly subjectId?: IdentityId;
  readonly scope?: Scope;
  /** By the status at `now`: the clock counts, not the sweep. */
  readonly status?: string;
  readonly since?: Instant;
  readonly until?: Instant;
  readonly now: Instant;
}

/** One person, and every selector text that means them. */
export interface Viewer {
  readonly id: IdentityId;
  /** As `formatSelector` writes them, without `manager`: e-mail, `identity:…`, `group:…`. */
  readonly selectors: readonly string[];
}

export interface Page<T> {
  readonly rows: readonly T[];
  /** Where the next page starts; null on the last one. */
  readonly next: number | null;
}

export interface PageQuery {
  readonly limit: number;
  /** From a previous page's `next`. */
  readonly before?: number;
}

export interface RequestWithGrant {
  readonly request: Versioned<AccessRequest>;
  readonly grant: Versioned<Grant> | undefined;
}

export interface AuditRow {
  readonly seq: number;
  readonly body: string;
  readonly hash: string;
  readonly previousHash: string;
}

export interface AuditFilter {
  readonly after: number;
  readonly limit: number;
  readonly request?: RequestId;
  readonly action?: string;
}

/** Number and hash of a record that was once the last of the log; 0 and zeros before the first. */
export interface AuditHead {
  readonly seq: number;
  readonly hash: string;
}

/** Whether the log contains an earlier head: with the same hash, with another hash, or the log is shorter. */
export type HeadComparison = "matches" | "differs" | "shorter";

export interface AuditVerdict {
  readonly ok: boolean;
  readonly events: number;
  /** Hash of the last record; 64 zeros when there is none. */
  readonly head: string;
  /** `unproven`: there was no head to compare with, so records may be missing at the end. */
  readonly tail: HeadComparison | "unproven";
  readonly firstBad?: { readonly seq: number; readonly kind: "hash" | "body" | "gap" };
}

/** A request or grant whose state no audit record explains. */
export interface Unrecorded {
  readonly kind: "request" | "grant";
  readonly id: string;
}

/** A due row of the outbox that is not leased, or whose lease has expired. */
export interface DueEffect {
  readonly id: EffectId;
  readonly effect: Effect;
  /** How often it was released for a retry. */
  readonly attempts: number;
  readonly lease: number;
  readonly createdAt: Instant;
}

/** Which note a message is; `answer`: a card that a person asked to see. */
export type NoteTopic = NoticeKind | "link" | "answer";

/** What a message is about: a request, or an account that its owner wants to be linked (see `linkSubject`). */
export type DeliverySubject = RequestId | `link:${string}`;

/**
 * One message about one subject to one reader on one surface. For chat it holds where the message is, so that it can be
 * updated. `nowhere`: a person who can be reached on no surface of this installation.
 */
export interface Delivery {
  /** Derived from the fields below, so that adding it twice adds it once; see `deliveryId`. */
  readonly id: string;
  readonly requestId: DeliverySubject;
  /** Which note it is; null: the card itself. Notes are updated only while they have buttons. */
  readonly notice: NoteTopic | null;
  readonly surface: NotifyChannel | "nowhere";
  readonly address: string;
  readonly audience: Audience;
  /** Null: a channel. */
  readonly readerId: IdentityId | null;
  readonly state: "QUEUED" | "SENT" | "FAILED" | "UNREACHABLE" | "NOT_NEEDED";
  /** Where the message is, in the surface's own format; null before it was posted, and always for e-mail. */
  readonly ref: string | null;
  /** Why the last attempt failed permanently. */
  readonly fault: string | null;
  readonly at: Instant;
}
