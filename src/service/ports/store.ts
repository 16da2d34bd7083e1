import type { AccessRequest } from "../../core/access/access-request.ts";
import type { AuditEntry } from "../../core/audit/audit-record.ts";
import type { History } from "../../core/policy/conditions.ts";
import type { Effect } from "../../core/effects/effects.ts";
import type { Grant } from "../../core/access/grant.ts";
import type {
  CredentialId,
  EffectId,
  GrantId,
  IdentityId,
  Instant,
  KeyId,
  PolicyId,
  RequestId,
  Scope,
} from "../../core/values/ids.ts";
import type { ChatAccount, DirectoryQuery, Identity } from "../../core/values/identity.ts";
import type { Policy, Rulebook, Rules } from "../../core/policy/policy.ts";
import type { Refusal } from "../../core/values/refusals.ts";
import type { TargetReads } from "./target-reads.ts";

import type {
  Versioned,
  IdempotencyRecord,
  ApiKey,
  PresentedCredential,
  RequestFilter,
  Page,
  PageQuery,
  RequestWithGrant,
  AuditRow,
  AuditFilter,
  AuditHead,
  AuditVerdict,
  DueEffect,
  Delivery,
  DeliverySubject,
  Cursor,
  HeadComparison,
  Unrecorded,
} from "./records.ts";

export type {
  ApiKey,
  AuditFilter,
  AuditHead,
  AuditRow,
  AuditVerdict,
  Delivery,
  DeliverySubject,
  Cursor,
  DueEffect,
  HeadComparison,
  NoteTopic,
  IdempotencyRecord,
  Page,
  PageQuery,
  PresentedCredential,
  RequestFilter,
  RequestWithGrant,
  Unrecorded,
  Versioned,
  Viewer,
} from "./records.ts";

/** A record that a decision depends on, and its version. If it has changed, nothing of the step is written. */
export interface Expectation {
  readonly kind: "request" | "grant" | "identity" | "key" | "rulebook";
  /** The record's id; for the rulebook always `rulebook`. */
  readonly id: string;
  readonly version: number;
}

/**
 * The closed list of writes. `request`, `grant`, `identity` and `key` need an expectation for the same record in the
 * same step (0 to create); the store writes version + 1. `policy`, `policyDeleted`, `rules` and `lockdown` need one for
 * the rulebook, whose version the store raises by one per step.
 */
export type Write =
  | { readonly kind: "request"; readonly value: AccessRequest; readonly dueAt: Instant | null }
  | { readonly kind: "grant"; readonly value: Grant }
  | { readonly kind: "credentialFirstUsed"; readonly id: CredentialId; readonly at: Instant }
  | { readonly kind: "identity"; readonly value: Identity }
  | { readonly kind: "key"; readonly value: ApiKey }
  | { readonly kind: "policy"; readonly value: Policy }
  | { readonly kind: "policyDeleted"; readonly id: PolicyId }
  | { readonly kind: "rules"; readonly value: Rules; readonly source: "file" | "example" }
  | { readonly kind: "lockdown"; readonly on: boolean }
  /**
   * Claims an effect until `until`, which raises the lease of its row by one. `lease` is the number that was read. A
   * commit with another number is a version conflict.
   */
  | ({ readonly kind: "effectLeased"; readonly until: Instant } & LeasedEffect)
  /** The effect is done. `lease` is the number after this process claimed it, one more than was read. */
  | ({ readonly kind: "effectSettled" } & LeasedEffect)
  /** Queues a delivery. An existing one with the same id stays as it is. */
  | { readonly kind: "deliveryAdded"; readonly value: Delivery }
  /** The outcome of a delivery. */
  | ({ readonly kind: "deliveryUpdated"; readonly id: string } & Pick<
      Delivery,
      "state" | "ref" | "fault" | "at"
    >)
  /** Where a surface reaches a person. A new value replaces the stored one. */
  | { readonly kind: "address"; readonly surface: string; readonly key: string; readonly value: JsonValue }
  | { readonly kind: "addressGone"; readonly surface: string; readonly key: string }
  /** Raises the latest time of any commit. A stored time that is later stays. */
  | { readonly kind: "clockMark"; readonly at: Instant }
  /**
   * Lowers the latest commit time from `from` to `at`, because the clock was wrong. Due times and counted uses
   * in between move to `at`, so that no effect or limit lasts for years.
   */
  | { readonly kind: "clockLowered"; readonly from: Instant; readonly at: Instant }
  /** The attempt failed, and the effect is due again at `dueAt`. `lease` is as in `effectSettled`. */
  | ({ readonly kind: "effectReleased"; readonly dueAt: Instant; readonly error: string } & LeasedEffect)
  /** Ends all leases, so that claimed effects are due at `at` at the latest. Only for the start of a process. */
  | { readonly kind: "leasesEnded"; readonly at: Instant }
  /** Moves a follower of the audit log to this position. */
  | { readonly kind: "cursor"; readonly value: Cursor }
  /** Removes a follower; a new one with the same name starts from the beginning. */
  | { readonly kind: "cursorDropped"; readonly name: string };

interface LeasedEffect {
  readonly id: EffectId;
  readonly lease: number;
  /** The effect ends access, so this is written even when the disk is full. */
  readonly ends?: true;
}

/** Names that only one owner may hold: duplicate guard, e-mail, policy name, key hash. */
export type UniqueChange =
  | { readonly take: string; readonly owner: string }
  | { readonly release: string; readonly owner: string };

/**
 * Adds to a counter. The commit conflicts if the sum would exceed `max`. With `windowMs`, only what was added after
 * `at - windowMs` counts.
 */
export interface CounterChange {
  readonly key: string;
  readonly add: number;
  readonly max?: number;
  readonly windowMs?: number;
  readonly at: Instant;
}

export interface NewEffect {
  readonly id: EffectId;
  readonly effect: Effect;
  readonly dueAt: Instant;
}

/** Everything one decision changes, as data: written whole or not at all. */
export interface Step {
  readonly expects: readonly Expectation[];
  readonly writes: readonly Write[];
  readonly unique: readonly UniqueChange[];
  readonly counters: readonly CounterChange[];
  readonly audit: readonly AuditEntry[];
  readonly effects: readonly NewEffect[];
  readonly idempotencyRecord?: IdempotencyRecord;
}

export type CommitResult =
  | { readonly ok: true }
  | { readonly conflict: "version"; readonly what: string }
  /** `what` is the key, `owner` its holder. */
  | { readonly conflict: "unique"; readonly what: string; readonly owner: string }
  /** `what` is the key. `retryAt`: when the oldest use leaves the window, if there is one. */
  | { readonly conflict: "counter"; readonly what: string; readonly retryAt?: Instant }
  /** The step is refused by a guard, such as a hold on new access; see access-hold.ts. */
  | { readonly conflict: "held"; readonly refusal: Refusal };

/** The store cannot write, and nothing was written. The call is refused with 503. */
export class StoreUnavailable extends Error {
  override readonly name: string = "StoreUnavailable";
  readonly code = "store_unavailable";
  readonly retryable = true;
}

/** The disk is full. */
export class DiskFull extends StoreUnavailable {
  override readonly name = "DiskFull";
}

/** Any JSON value. */
export type JsonValue =
  | string
  | number
  | boolean
  | null
  | readonly JsonValue[]
  | { readonly [key: string]: JsonValue };

/**
 * Reads of committed state. A step is visible at the latest when its commit resolves; a read during the commit may see
 * the state before it.
 */
export interface Reads extends TargetReads {
  request(id: RequestId): Promise<RequestWithGrant | undefined>;
  /** The extension of this grant that is PENDING, if any. */
  openExtension(grantId: GrantId): Promise<Versioned<AccessRequest> | undefined>;
  requests(filter: RequestFilter, page: PageQuery): Promise<Page<RequestWithGrant>>;
  /** Ids of the subject's PENDING and APPROVED requests and of those with an ACTIVE grant, as stored. */
  openRequestsOf(subjectId: IdentityId): Promise<readonly RequestId[]>;
  /** Those of `openRequestsOf` whose time has run out at `now`. Their stored state does not show it yet. */
  overdueRequestsOf(subjectId: IdentityId, now: Instant): Promise<readonly RequestId[]>;
  /** At most `limit` PENDING requests after this position, in order of arrival; 0: from the first. */
  waitingRequests(
    after: number,
    limit: number,
  ): Promise<readonly { readonly ord: number; readonly request: AccessRequest }[]>;
  /** At most `limit` emergencies after this position that have started and are not reviewed as justified. */
  openReviews(
    after: number,
    limit: number,
  ): Promise<readonly { readonly ord: number; readonly request: AccessRequest }[]>;
  /** How many pending requests need more approvers than exist at `now`. */
  strandedRequests(now: Instant): Promise<number>;
  /** At most `limit` requests whose `dueAt` has passed, the longest due first. */
  dueRequests(now: Instant, limit: number): Promise<readonly RequestId[]>;
  /**
   * Request ids of at most `limit` grants whose time has run out. These are active ones past their end, and
   * prepared ones that were not claimed in time.
   */
  dueGrants(now: Instant, limit: number): Promise<readonly RequestId[]>;
  credential(hash: string): Promise<PresentedCredential | undefined>;
  identity(id: IdentityId): Promise<Versioned<Identity> | undefined>;
  identities(page: PageQuery): Promise<Page<Identity>>;
  /** Every identity that the configuration file manages, even when the file no longer lists it. */
  fileIdentities(): Promise<readonly Versioned<Identity>[]>;
  /** Every group name of the identities that this source manages. */
  groupNames(managedBy: Identity["managedBy"]): Promise<readonly string[]>;
  /** The identity that this chat account is linked to. */
  identityByLink(account: ChatAccount): Promise<Versioned<Identity> | undefined>;
  /** The people that these ids, selectors and links name. The managers of the ids are included. */
  people(query: DirectoryQuery): Promise<readonly Versioned<Identity>[]>;
  key(id: KeyId): Promise<Versioned<ApiKey> | undefined>;
  keyByHash(
    hash: string,
  ): Promise<{ readonly key: Versioned<ApiKey>; readonly identity: Identity } | undefined>;
  keys(page: PageQuery): Promise<Page<ApiKey>>;
  /** Active keys of one identity. */
  keysOf(identityId: IdentityId): Promise<readonly Versioned<ApiKey>[]>;
  rulebookVersion(): Promise<number>;
  rulebook(): Promise<Rulebook>;
  /** Where the rules were last loaded from; undefined in a new database. */
  rulesSource(): Promise<"file" | "example" | undefined>;
  /** The owner of this unique name. */
  ownerOf(name: string): Promise<string | undefined>;
  /** How often a counter was used; with `windowMs`, only after `now - windowMs`. */
  used(key: string, now: Instant, windowMs?: number): Promise<number>;
  /** What happened to this subject before `before`. */
  history(subjectId: IdentityId, scopes: readonly Scope[], before: Instant): Promise<History>;
  /** Break-glass uses of this person whose access started, newest first, at most 100. */
  breakGlassUses(subjectId: IdentityId): Promise<readonly AccessRequest[]>;
  idempotencyRecord(
    keyId: KeyId,
    call: string,
    idempotencyKey: string,
  ): Promise<IdempotencyRecord | undefined>;
  auditEvents(filter: AuditFilter): Promise<readonly AuditRow[]>;
  /** The latest time of any commit; undefined in a new database. */
  clockMark(): Promise<Instant | undefined>;
  auditHead(): Promise<AuditHead>;
  /** Whether the log contains this record at its number. */
  compareHead(seen: AuditHead): Promise<HeadComparison>;
  /** Every follower of the audit log, by name. */
  cursors(): Promise<readonly Cursor[]>;
  /** Verifies the whole chain without blocking the event loop. `seen`: a head that was stored outside. */
  verifyAudit(seen?: AuditHead): Promise<AuditVerdict>;
  /** At most `limit` requests and grants whose state no record explains. Does not block the event loop. */
  unrecorded(limit: number): Promise<readonly Unrecorded[]>;
  /** How many credentials are valid now. */
  activeGrants(now: Instant): Promise<number>;
  /**
   * At most `limit` effects that are due, the longest due first. Only the oldest of each ordering key is returned, and none
   * for the destinations in `without`.
   */
  dueEffects(now: Instant, limit: number, without?: readonly string[]): Promise<readonly DueEffect[]>;
  /** The deliveries about these subjects, in the order of their creation. */
  deliveries(subjects: readonly DeliverySubject[]): Promise<readonly Delivery[]>;
  /** Requests that this person was notified of recently and whose messages may still have buttons. */
  openRequestsShownTo(readerId: IdentityId): Promise<readonly RequestId[]>;
  /** What this surface stores under this key; undefined: nothing. */
  address(surface: string, key: string): Promise<JsonValue | undefined>;
  /** How many effects are unsettled, and since when the oldest is due. */
  outbox(now: Instant): Promise<{ readonly waiting: number; readonly oldestDueAt: Instant | null }>;
}

/** The only store of the service. A step is data, so there is no callback and no transaction object. */
export interface Store extends Reads {
  commit(step: Step): Promise<CommitResult>;
  close(): Promise<void>;
}
