import type { Risk, Requirement } from "../policy/requirement-model.ts";
import type { IdentityId, Instant, GrantId, KeyId, RequestId, Scope } from "../values/ids.ts";
import type { Identity, Via } from "../values/identity.ts";
import type { ReviewRule } from "../policy/policy.ts";

/**
 * An access request answers "may they?". It never holds access: that is the grant's (grant.ts).
 *
 * - PENDING: a stage of the requirement is not complete. Ends by the last approval (APPROVED, or COMPLETED for an
 *   extension), a denial (DENIED), withdrawal (CANCELLED), or its approval deadline (TIMED_OUT).
 * - APPROVED: complete, but access has not started; a claim may have begun to prepare it (grant.ts). Ends by the
 *   requester's claim (CLAIMED), withdrawal (CANCELLED), revocation (REVOKED), its claim deadline (TIMED_OUT), or a
 *   target that cannot provide the access (FAILED).
 * - CLAIMED: final for the request. From now on the status people see comes from the grant.
 * - COMPLETED: final; an extension that has extended its grant.
 * - DENIED, CANCELLED, TIMED_OUT, REVOKED, FAILED: final; access never started.
 */
export type RequestPhase =
  | "PENDING"
  | "APPROVED"
  | "CLAIMED"
  | "COMPLETED"
  | "DENIED"
  | "CANCELLED"
  | "TIMED_OUT"
  | "REVOKED"
  | "FAILED";

export interface AccessRequest {
  readonly id: RequestId;
  /** The person who will hold the access. */
  readonly subjectId: IdentityId;
  /** The person who submitted it. Differs from the subject only when an administrator asked for somebody. */
  readonly requestedById: IdentityId;
  readonly requestedAt: Instant;
  readonly reason: string;
  readonly scopes: readonly Scope[];
  /**
   * The scopes that a connector served at submission. For these a token alone never provides access. Absent on
   * requests of versions before this field.
   */
  readonly servedScopes?: readonly Scope[];
  /** The requested duration. For an extension: the time to add. */
  readonly durationMs: number;
  readonly ticket?: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly notifyChannels: readonly NotifyChannel[];
  /** The grant to extend. */
  readonly extension?: Extension;
  /** Set when access was taken without approval in an emergency; reviewed afterwards. */
  readonly breakGlass?: BreakGlassUse;
  /**
   * Snapshot of the subject at submission. The approval that would complete the request re-evaluates current policies
   * against it.
   */
  readonly subjectAtSubmission: Pick<Identity, "id" | "kind" | "groups" | "email">;
  readonly risk: Risk | null;
  readonly requirement: Requirement;
  /** Hash of the terms to decide on. A decision that names an older revision is refused. */
  readonly revision: string;
  readonly openings: readonly StageOpening[];
  /** The people asked, resolved when their stage opened or escalated. */
  readonly asked: readonly AskedApprover[];
  readonly votes: readonly Vote[];
  readonly phase: RequestPhase;
  readonly approvalDeadline: Instant;
  readonly claimDeadline: Instant | null;
  /** The requested duration, or the shortest any approver gave. Null until approved. */
  readonly grantedDurationMs: number | null;
  readonly decidedAt: Instant | null;
  /** Who ended or last decided the request, for "already approved by Ann". */
  readonly decidedBy: Actor | null;
  /** The grant that was started or is being prepared; null before the first claim. */
  readonly grantId: GrantId | null;
  /** Set in every final phase except CLAIMED, where the grant has it. */
  readonly endedAt: Instant | null;
  readonly endReason: string | null;
  /** The last time its quorum became unreachable while it waited. */
  readonly stranded?: Stranded;
  /**
   * The approvals at the moment the request was no longer pending. Later changes of groups do not change them. Absent
   * while PENDING, without stages, and on requests decided by versions before this field.
   */
  readonly decidedApprovals?: DecidedApprovals;
}

export interface Stranded {
  readonly since: Instant;
  /** The first stage with too few possible approvers. */
  readonly stage: number;
  /** When enough people could decide it again; null while they cannot. */
  readonly until: Instant | null;
}

/** Approvals and approvers at the moment a request was no longer pending. */
export interface DecidedApprovals {
  readonly stages: readonly { readonly stage: number; readonly required: number; readonly given: number }[];
  readonly approvers: readonly {
    readonly identityId: IdentityId;
    readonly name: string;
    readonly email: string | null;
    readonly stage: number;
  }[];
}

export const notifyChannels = ["slack", "teams", "email"] as const;
export type NotifyChannel = (typeof notifyChannels)[number];

export interface Extension {
  readonly of: RequestId;
  readonly grantId: GrantId;
  /** The time granted so far plus the time requested: what policies evaluate. */
  readonly totalMs: number;
}

export interface BreakGlassUse {
  /** Frozen with the use, so that later edits of the file do not change its consequences. */
  readonly review: ReviewRule;
  readonly notify: readonly string[];
  readonly reviews: readonly Review[];
  /** Counted from the start of access; null before. */
  readonly reviewDueAt: Instant | null;
  /** When the missing review was recorded as overdue. */
  readonly overdueAt: Instant | null;
}

export interface Review {
  readonly by: IdentityId;
  /** The reviewer's name at that time; absent on reviews of versions before this field. */
  readonly name?: string;
  readonly at: Instant;
  readonly outcome: "justified" | "unjustified";
  readonly comment: string;
  /** The API key used for the review and who made it, if any. */
  readonly key?: UsedKey;
}

export interface StageOpening {
  readonly stage: number;
  readonly at: Instant;
  /** Number of reminders sent. */
  readonly reminded: number;
  /** Number of `escalateTo` lists that were asked. */
  readonly level: number;
}

export interface AskedApprover {
  readonly identityId: IdentityId;
  readonly stage: number;
  readonly escalated: boolean;
  /** When we noticed that they may no longer decide the stage. Absent while they may. */
  readonly until?: Instant;
}

/** One approval or denial. */
export interface Vote {
  readonly by: IdentityId;
  /** The voter's name and address at that time. These and `as` are absent on votes of older versions. */
  readonly name?: string;
  readonly email?: string;
  /** The selectors that made the voter an approver, as the policy's author wrote them. */
  readonly as?: readonly string[];
  readonly at: Instant;
  readonly via: Via;
  readonly decision: "APPROVED" | "DENIED";
  /** The stages in which it counts. */
  readonly stages: readonly number[];
  /** A shorter duration than requested. */
  readonly durationMs?: number;
  readonly comment?: string;
  /** The API key used for the decision and who made it, if any. */
  readonly key?: UsedKey;
}

export interface UsedKey {
  readonly id: KeyId;
  readonly mintedBy: IdentityId;
}

/** Who did something, as the audit log records it. */
export interface Actor {
  readonly type: "human" | "service" | "policy" | "system";
  readonly id: string;
  readonly name: string;
  readonly via: Via;
  readonly key?: UsedKey;
}

export function isOpen(request: AccessRequest): boolean {
  return request.phase === "PENDING" || request.phase === "APPROVED";
}
