import type { Risk, Requirement } from "../policy/requirement-model.ts";
import type { IdentityId, Instant, GrantId, KeyId, RequestId, Scope } from "../values/ids.ts";
import type { Identity, Via } from "../values/identity.ts";
import type { ReviewRule } from "../policy/policy.ts";

/**
 * An access request answers "may they?". It never holds access: that is the grant's (grant.ts).
 *
 * - PENDING: some stage of the requirement is not met. Ends by the approval that meets the last one (APPROVED, or
 *   COMPLETED for an extension), one denial (DENIED), withdrawal (CANCELLED), its approval deadline (TIMED_OUT).
 * - APPROVED: met; access not started, though a claim may have begun to prepare it (grant.ts). Ends by the requester's claim (CLAIMED), withdrawal (CANCELLED), revocation
 *   (REVOKED), its claim deadline (TIMED_OUT), or a target that cannot give it (FAILED).
 * - CLAIMED: final here; a grant exists and tells from now on what the request reads as outside.
 * - COMPLETED: final; an extension that has moved its grant's end.
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
  /** The requester: who will hold the access. */
  readonly subjectId: IdentityId;
  /** Who pressed the button. Differs only when an administrator asked for somebody. */
  readonly requestedById: IdentityId;
  readonly requestedAt: Instant;
  readonly reason: string;
  readonly scopes: readonly Scope[];
  /**
   * Those of the scopes that a connector served when this was asked: they are never given by a token alone. Absent on
   * requests of versions before this field.
   */
  readonly servedScopes?: readonly Scope[];
  /** Asked for, in milliseconds. For an extension: what is added. */
  readonly durationMs: number;
  readonly ticket?: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly notifyChannels: readonly NotifyChannel[];
  /** The grant this request wants to prolong. */
  readonly extension?: Extension;
  /** Taken without approval in an emergency; reviewed afterwards. */
  readonly breakGlass?: BreakGlassUse;
  /** The subject as they were at submission: facts that today's policies are asked with at the last press. */
  readonly subjectAtSubmission: Pick<Identity, "id" | "kind" | "groups" | "email">;
  readonly risk: Risk | null;
  readonly requirement: Requirement;
  /** Hash of the terms decided on; a press made on an older one is refused. */
  readonly revision: string;
  readonly openings: readonly StageOpening[];
  /** Who was asked, as resolved when their stage began or escalated. */
  readonly asked: readonly AskedApprover[];
  readonly votes: readonly Vote[];
  readonly phase: RequestPhase;
  readonly approvalDeadline: Instant;
  readonly claimDeadline: Instant | null;
  /** The asked duration, or the shortest an approver gave. Null until approved. */
  readonly grantedDurationMs: number | null;
  readonly decidedAt: Instant | null;
  /** Who or what ended it or decided it last, for "already approved by Ann". */
  readonly decidedBy: Actor | null;
  /** The grant it led to, or that is being prepared; null before the first claim. */
  readonly grantId: GrantId | null;
  /** Set in every final phase but CLAIMED, where the grant knows. */
  readonly endedAt: Instant | null;
  readonly endReason: string | null;
  /** That its quorum could no longer be reached while it waited; the last time. */
  readonly stranded?: Stranded;
  /**
   * The approvals as they stood when it stopped waiting; from then on nobody's groups change what it says. Absent while
   * PENDING, without stages, and on requests decided by versions before this field.
   */
  readonly decidedApprovals?: DecidedApprovals;
}

export interface Stranded {
  readonly since: Instant;
  /** The first stage that too few people could decide. */
  readonly stage: number;
  /** When enough people could decide it again; null: not yet. */
  readonly until: Instant | null;
}

/** Approvals and approvers of a request that no longer waits, as they stood at that moment. */
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
  /** Granted so far plus asked: what the policies judge. */
  readonly totalMs: number;
}

export interface BreakGlassUse {
  /** Frozen with the use, so that later edits of the file neither forgive nor condemn it. */
  readonly review: ReviewRule;
  readonly notify: readonly string[];
  readonly reviews: readonly Review[];
  /** From the start of access; null before. */
  readonly reviewDueAt: Instant | null;
  /** When the missing review was recorded as overdue. */
  readonly overdueAt: Instant | null;
}

export interface Review {
  readonly by: IdentityId;
  /** The name they had then; absent on reviews of versions before this field. */
  readonly name?: string;
  readonly at: Instant;
  readonly outcome: "justified" | "unjustified";
  readonly comment: string;
  /** The API key used and who made it, when the judgement came through one. */
  readonly key?: UsedKey;
}

export interface StageOpening {
  readonly stage: number;
  readonly at: Instant;
  /** How many of the stage's reminders have been sent. */
  readonly reminded: number;
  /** How many lists of `escalateTo` have been asked. */
  readonly level: number;
}

export interface AskedApprover {
  readonly identityId: IdentityId;
  readonly stage: number;
  readonly escalated: boolean;
  /** When it was noticed that they may not decide the stage any more. Absent while they may. */
  readonly until?: Instant;
}

/** One press. */
export interface Vote {
  readonly by: IdentityId;
  /** The name and the address the voter had then; absent on votes of versions before these fields, as is `as`. */
  readonly name?: string;
  readonly email?: string;
  /** The selectors of its stages that meant the voter then, as the policy's author wrote them. */
  readonly as?: readonly string[];
  readonly at: Instant;
  readonly via: Via;
  readonly decision: "APPROVED" | "DENIED";
  /** The stages it counts in. */
  readonly stages: readonly number[];
  /** Approved for less. */
  readonly durationMs?: number;
  readonly comment?: string;
  /** The API key used and who made it, when the press came through one. */
  readonly key?: UsedKey;
}

export interface UsedKey {
  readonly id: KeyId;
  readonly mintedBy: IdentityId;
}

/** Who did something, as the audit log says it. */
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
