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
 * What is kept, as the services see it.
 */

/** A record with the version it was read at. Versions start at 1; 0 means "must not exist yet". */
export interface Versioned<T> {
  readonly value: T;
  readonly version: number;
}

/** The kept answer of a call made with an Idempotency-Key. */
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

/** How far a follower of the audit log has come: a webhook (`webhook:siem`) or the audit file (`file`). */
export interface Cursor {
  readonly name: string;
  /** Of the last record it is done with; 0 before the first. */
  readonly seq: number;
  /** Failed attempts at the next record it wants. */
  readonly attempts: number;
  /** Since when no attempt has succeeded; null while they do. */
  readonly failingSince: Instant | null;
  /** When to try again; null: now. */
  readonly dueAt: Instant | null;
  /** Why nothing is tried any more. */
  readonly disabled: string | null;
  /** Hash of how it is configured, by which a change is noticed. */
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
  /** `mintedBy` and everyone behind them at that time; absent on keys of earlier versions. */
  readonly madeBy?: readonly IdentityId[];
  readonly createdAt: Instant;
  /** Null only for the built-in key. */
  readonly expiresAt: Instant | null;
  readonly deletedAt: Instant | null;
}

/** What a presented `kd_jit_` token stands for, read in one go. */
export interface PresentedCredential {
  readonly credentialId: CredentialId;
  readonly last4: string;
  /** Whether it is the grant's own; false once the token was rotated away. */
  readonly current: boolean;
  readonly firstUsedAt: Instant | null;
  readonly grant: CheckedGrant;
  readonly identity: Identity;
}

export interface RequestFilter {
  /** What the caller may see: of this subject, asked by this identity, or decided by these selectors. Absent: all. */
  readonly visibleTo?: Viewer;
  /** Only those these people's selectors decide. */
  readonly approver?: Viewer;
  /** Only emergencies that these people's selectors review. */
  readonly reviewer?: Viewer;
  readonly subjectId?: IdentityId;
  readonly scope?: Scope;
  /** By the status as read at `now`: the clock counts, not the sweep. */
  readonly status?: string;
  readonly since?: Instant;
  readonly until?: Instant;
  readonly now: Instant;
}

/** One person and every selector text that means them. */
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

/** Number and hash of a record that was the last of the log at some moment; 0 and zeros before the first. */
export interface AuditHead {
  readonly seq: number;
  readonly hash: string;
}

/** Whether the log still contains a head that was seen: with the same hash, with another, or not so many records. */
export type HeadComparison = "matches" | "differs" | "shorter";

export interface AuditVerdict {
  readonly ok: boolean;
  readonly events: number;
  /** Hash of the last record; 64 zeros when there is none. */
  readonly head: string;
  /** `unproven`: there was no head to compare with, so records may have been cut off at the end. */
  readonly tail: HeadComparison | "unproven";
  readonly firstBad?: { readonly seq: number; readonly kind: "hash" | "body" | "gap" };
}

/** A request or grant that is stored in a state which no audit record explains. */
export interface Unrecorded {
  readonly kind: "request" | "grant";
  readonly id: string;
}

/** One row of the outbox that is due and leased to nobody (or to one whose lease ran out). */
export interface DueEffect {
  readonly id: EffectId;
  readonly effect: Effect;
  /** How often it was put back. */
  readonly attempts: number;
  readonly lease: number;
  readonly createdAt: Instant;
}

/** Which note a message is; `answer`: a card that somebody asked to see. */
export type NoteTopic = NoticeKind | "link" | "answer";

/** What a message is about: a request, or an account that somebody wants to be linked (see `linkSubject`). */
export type DeliverySubject = RequestId | `link:${string}`;

/**
 * What one reader has been told of one request on one surface: for chat where the message is, so that it can be kept
 * true. `nowhere`: a person who can be told on no surface of this installation.
 */
export interface Delivery {
  /** From what follows, so that wanting it twice is wanting it once; see `copyId`. */
  readonly id: string;
  readonly requestId: DeliverySubject;
  /** Which note it is; null: the card itself. Of a note only a message with buttons is kept true. */
  readonly notice: NoteTopic | null;
  readonly surface: NotifyChannel | "nowhere";
  readonly address: string;
  readonly audience: Audience;
  /** Null: a channel. */
  readonly readerId: IdentityId | null;
  readonly state: "QUEUED" | "SENT" | "FAILED" | "UNREACHABLE" | "NOT_NEEDED";
  /** Where the message is, in the surface's own words; null before it was posted, and always for letters. */
  readonly ref: string | null;
  /** Why the last attempt failed for good. */
  readonly fault: string | null;
  readonly at: Instant;
}
