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

/** What a step was decided from. If one of these has moved on, nothing of the step is written. */
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
  /** Claims an effect: `lease` is the number it was read with; another one since then is a version conflict. */
  | ({ readonly kind: "effectLeased"; readonly until: Instant } & LeasedEffect)
  /** Done for good. `lease`: the number after our own claim (read + 1), here and below. */
  | ({ readonly kind: "effectSettled" } & LeasedEffect)
  /** A copy that shall be; one that is there already stays as it is. */
  | { readonly kind: "deliveryAdded"; readonly value: Delivery }
  /** What became of telling it. */
  | ({ readonly kind: "deliveryUpdated"; readonly id: string } & Pick<
      Delivery,
      "state" | "ref" | "fault" | "at"
    >)
  /** What a surface has learned about where somebody is reached; the last word counts. */
  | { readonly kind: "address"; readonly surface: string; readonly key: string; readonly value: JsonValue }
  | { readonly kind: "addressGone"; readonly surface: string; readonly key: string }
  /** Raises the latest time of any commit; one that is later already stays. */
  | { readonly kind: "clockMark"; readonly at: Instant }
  /**
   * Sets that time back from `from` to `at`, because it was wrong. What had become due in between is due at `at`, and
   * what was used in between counts as used at `at`: no effect waits for years, and no limit lasts for years.
   */
  | { readonly kind: "clockLowered"; readonly from: Instant; readonly at: Instant }
  | ({ readonly kind: "effectReleased"; readonly dueAt: Instant; readonly error: string } & LeasedEffect)
  /** Nobody is at anything: what is leased may be taken from now on. For the start only, when no one else can be. */
  | { readonly kind: "leasesEnded"; readonly at: Instant }
  /** Puts a follower of the audit log where it says, in place of where it was. */
  | { readonly kind: "cursor"; readonly value: Cursor }
  /** The follower is no more; one of the same name begins anew. */
  | { readonly kind: "cursorDropped"; readonly name: string };

interface LeasedEffect {
  readonly id: EffectId;
  readonly lease: number;
  /** The effect takes access away, so this is written even when the disk is full. */
  readonly ends?: true;
}

/** Names that only one owner may hold: duplicate guard, e-mail, policy name, key hash. */
export type UniqueChange =
  | { readonly take: string; readonly owner: string }
  | { readonly release: string; readonly owner: string };

/** Checked as used + add ≤ max in the same write. With `windowMs`, used = what was added after `at - windowMs`. */
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
  /** `what` is the key, `owner` who holds it. */
  | { readonly conflict: "unique"; readonly what: string; readonly owner: string }
  /** `what` is the key. `retryAt`: when the oldest use leaves the window, if it has one. */
  | { readonly conflict: "counter"; readonly what: string; readonly retryAt?: Instant }
  /** New access is held back; see access-hold.ts. */
  | { readonly conflict: "held"; readonly refusal: Refusal };

/** A known "no" of the store: the call is refused with 503 and nothing was written. */
export class StoreUnavailable extends Error {
  override readonly name: string = "StoreUnavailable";
  readonly code = "store_unavailable";
  readonly retryable = true;
}

/** The disk is full. */
export class DiskFull extends StoreUnavailable {
  override readonly name = "DiskFull";
}

/** What JSON can say. */
export type JsonValue =
  | string
  | number
  | boolean
  | null
  | readonly JsonValue[]
  | { readonly [key: string]: JsonValue };

/**
 * Reads. Each answers what is committed: a step at the latest when whoever committed it has its answer, and while it is
 * being written perhaps what was before it.
 */
export interface Reads extends TargetReads {
  request(id: RequestId): Promise<RequestWithGrant | undefined>;
  /** The extension of this grant that is PENDING, if any. */
  openExtension(grantId: GrantId): Promise<Versioned<AccessRequest> | undefined>;
  requests(filter: RequestFilter, page: PageQuery): Promise<Page<RequestWithGrant>>;
  /** Ids of the subject's PENDING and APPROVED requests and of those with an ACTIVE grant, by what is written. */
  openRequestsOf(subjectId: IdentityId): Promise<readonly RequestId[]>;
  /** Those of `openRequestsOf` that the clock has already ended. */
  overdueRequestsOf(subjectId: IdentityId, now: Instant): Promise<readonly RequestId[]>;
  /** At most `limit` PENDING requests behind this place, in the order of arrival; 0: from the first. */
  waitingRequests(
    after: number,
    limit: number,
  ): Promise<readonly { readonly ord: number; readonly request: AccessRequest }[]>;
  /** At most `limit` emergencies that have started and are not judged as justified behind this place, as above. */
  openReviews(
    after: number,
    limit: number,
  ): Promise<readonly { readonly ord: number; readonly request: AccessRequest }[]>;
  /** How many requests wait for more approvers than there are, by the clock. */
  strandedRequests(now: Instant): Promise<number>;
  /** At most `limit` requests whose `dueAt` has come, the longest due first. */
  dueRequests(now: Instant, limit: number): Promise<readonly RequestId[]>;
  /** At most `limit` grants that time has ended: live ones past their end, prepared ones nobody fetched. Ids of their requests. */
  dueGrants(now: Instant, limit: number): Promise<readonly RequestId[]>;
  credential(hash: string): Promise<PresentedCredential | undefined>;
  identity(id: IdentityId): Promise<Versioned<Identity> | undefined>;
  identities(page: PageQuery): Promise<Page<Identity>>;
  /** Everyone the configuration file manages, listed or not. */
  fileIdentities(): Promise<readonly Versioned<Identity>[]>;
  /** Every name of a group that somebody kept by this keeper is in. */
  groupNames(keeper: Identity["managedBy"]): Promise<readonly string[]>;
  /** Who this account at a chat platform is linked to. */
  identityByLink(account: ChatAccount): Promise<Versioned<Identity> | undefined>;
  /** The people these ids, selectors and links mean, with the managers of the ids. */
  people(query: DirectoryQuery): Promise<readonly Versioned<Identity>[]>;
  key(id: KeyId): Promise<Versioned<ApiKey> | undefined>;
  keyByHash(
    hash: string,
  ): Promise<{ readonly key: Versioned<ApiKey>; readonly identity: Identity } | undefined>;
  keys(page: PageQuery): Promise<Page<ApiKey>>;
  /** Living keys of one identity. */
  keysOf(identityId: IdentityId): Promise<readonly Versioned<ApiKey>[]>;
  rulebookVersion(): Promise<number>;
  rulebook(): Promise<Rulebook>;
  /** What the rules were last loaded from; undefined in a new database. */
  rulesSource(): Promise<"file" | "example" | undefined>;
  /** Who has taken this unique name. */
  ownerOf(name: string): Promise<string | undefined>;
  /** How often a counter was used; with `windowMs` after `now - windowMs`. */
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
  /** Whether the log contains this record as its number says. */
  compareHead(seen: AuditHead): Promise<HeadComparison>;
  /** Every follower of the audit log, by name. */
  cursors(): Promise<readonly Cursor[]>;
  /** Streams through the whole chain without holding the event loop. `seen`: a head that was kept outside. */
  verifyAudit(seen?: AuditHead): Promise<AuditVerdict>;
  /** At most `limit` requests and grants without the records that explain their state, without holding the event loop. */
  unrecorded(limit: number): Promise<readonly Unrecorded[]>;
  /** How many credentials open something at this moment. */
  activeGrants(now: Instant): Promise<number>;
  /** At most `limit`, the longest due first, at most the oldest of each lane, none of these groups. */
  dueEffects(now: Instant, limit: number, without?: readonly string[]): Promise<readonly DueEffect[]>;
  /** Of these requests, in the order they came to be. */
  deliveries(subjects: readonly DeliverySubject[]): Promise<readonly Delivery[]>;
  /** Requests of which this person was told lately, and on which something may still be pressed. */
  openRequestsShownTo(readerId: IdentityId): Promise<readonly RequestId[]>;
  /** What this surface keeps under this key; undefined: nothing. */
  address(surface: string, key: string): Promise<JsonValue | undefined>;
  /** Since when the oldest unsettled effect is due, and how many are. */
  outbox(now: Instant): Promise<{ readonly waiting: number; readonly oldestDueAt: Instant | null }>;
}

/** The one store. There is no callback and no transaction object: a step is data. */
export interface Store extends Reads {
  commit(step: Step): Promise<CommitResult>;
  close(): Promise<void>;
}
