import type {
  AccessRequest,
  Actor,
  AskedApprover,
  DecidedApprovals,
  Review,
  Vote,
} from "./access-request.ts";
import type { Demand } from "../policy/requirement-model.ts";
import type { CredentialRecord, StartedGrant, UnstartedGrant } from "./grant.ts";
import type { GrantId, Instant, PolicyId, RequestId } from "../values/ids.ts";
import type { ObjectIdentity } from "./target.ts";

interface EventBase {
  readonly at: Instant;
  readonly by: Actor;
}

/** One use of a policy with a `maxUsage`, counted in the commit that approves. */
export interface PolicyUse {
  readonly policyId: PolicyId;
  readonly max: number;
  /** Absent: without a period. */
  readonly periodMs?: number;
}

/** Everything that can happen to an access request. `evolveRequest` builds its state from these alone. */
export type RequestEvent =
  | (EventBase & { readonly type: "RequestSubmitted"; readonly request: AccessRequest })
  /** Every governing policy approves by itself. */
  | (EventBase & {
      readonly type: "RequestAutoApproved";
      readonly claimDeadline: Instant;
      readonly uses: readonly PolicyUse[];
    })
  /** Taken in an emergency: it can be claimed without approval. */
  | (EventBase & {
      readonly type: "BreakGlassUsed";
      readonly claimDeadline: Instant;
      readonly limit: { readonly max: number; readonly perMs: number };
    })
  | (EventBase & {
      readonly type: "ApprovalGiven";
      readonly vote: Vote;
      /** Stages this approval opened, and the people asked because of it. */
      readonly opened: readonly number[];
      readonly asked: readonly AskedApprover[];
    })
  /** Current policies require more than was frozen. */
  | (EventBase & {
      readonly type: "StagesAdded";
      readonly demands: readonly Demand[];
      readonly revision: string;
      readonly opened: readonly number[];
      readonly asked: readonly AskedApprover[];
    })
  | (EventBase & {
      readonly type: "RequestApproved";
      readonly grantedDurationMs: number;
      readonly claimDeadline: Instant;
      readonly uses: readonly PolicyUse[];
    })
  | (EventBase & { readonly type: "ApprovalDenied"; readonly vote: Vote })
  | (EventBase & { readonly type: "RequestDenied"; readonly reason: string; readonly policyId?: PolicyId })
  | (EventBase & { readonly type: "RequestCancelled"; readonly reason: string })
  | (EventBase & { readonly type: "RequestTimedOut"; readonly waitedFor: "approval" | "claim" })
  | (EventBase & {
      readonly type: "ApprovalReminded";
      readonly stage: number;
      readonly count: number;
      readonly people: readonly AskedApprover[];
    })
  | (EventBase & {
      readonly type: "ApprovalEscalated";
      readonly stage: number;
      readonly level: number;
      readonly people: readonly AskedApprover[];
    })
  /** People have changed: `joined` may decide an open stage from now on, perhaps again; `left` no longer may. */
  | (EventBase & {
      readonly type: "ApproversChanged";
      readonly joined: readonly AskedApprover[];
      readonly left: readonly AskedApprover[];
    })
  /** Too few people can decide this stage. The request stays pending, and the same access may be requested again. */
  | (EventBase & { readonly type: "RequestStranded"; readonly stage: number; readonly required: number })
  /** Enough people can decide it again. */
  | (EventBase & { readonly type: "RequestReachable" })
  /** The request is no longer pending: its approvals are kept as they are now. */
  | (EventBase & { readonly type: "ApprovalsFrozen"; readonly approvals: DecidedApprovals })
  /** Claimed, and its targets are being prepared. It stays APPROVED until all are ready. */
  | (EventBase & { readonly type: "RequestPreparing"; readonly grantId: GrantId })
  /** A target could not provide the access. `connector` is absent when none is configured for it any more. */
  | (EventBase & { readonly type: "RequestFailed"; readonly connector?: string; readonly reason: string })
  | (EventBase & {
      readonly type: "RequestClaimed";
      readonly grantId: GrantId;
      readonly reviewDueAt: Instant | null;
    })
  /** Revoked after the approval and before the claim. */
  | (EventBase & { readonly type: "ApprovedRequestRevoked"; readonly reason: string })
  /** An extension that has extended its grant. */
  | (EventBase & { readonly type: "ExtensionCompleted" })
  | (EventBase & { readonly type: "BreakGlassReviewed"; readonly review: Review })
  | (EventBase & { readonly type: "BreakGlassReviewOverdue" });

/** Everything that can happen to a grant. */
export type GrantEvent =
  /** The intent, with every target's spec, recorded before anything exists at a target. */
  | (EventBase & { readonly type: "GrantPrepared"; readonly grant: UnstartedGrant })
  /** Ended before it started. */
  | (EventBase & { readonly type: "GrantAbandoned"; readonly reason: string })
  | (EventBase & { readonly type: "GrantStarted"; readonly grant: StartedGrant })
  | (EventBase & { readonly type: "CredentialRotated"; readonly credential: CredentialRecord })
  | (EventBase & {
      readonly type: "GrantExtended";
      readonly expiresAt: Instant;
      readonly extension: RequestId;
    })
  | (EventBase & { readonly type: "GrantExpired" })
  | (EventBase & { readonly type: "GrantCompleted"; readonly note: string | null })
  | (EventBase & { readonly type: "GrantRevoked"; readonly reason: string })
  | TargetEvent;

interface WithTarget extends EventBase {
  /** Identifies the target within its grant. */
  readonly connector: string;
}

/** Everything that can happen to one target of a grant. */
export type TargetEvent =
  | (WithTarget & { readonly type: "TargetAttempted" })
  | (WithTarget & {
      readonly type: "TargetProvisioned";
      readonly object: string;
      readonly identity?: ObjectIdentity;
    })
  | (WithTarget & { readonly type: "TargetFailed" })
  /** An attempt failed for a new reason. `problem` is for people and contains no secret. */
  | (WithTarget & { readonly type: "TargetTroubled"; readonly problem: string })
  | (WithTarget & { readonly type: "TargetRevokeOverdue"; readonly object: string; readonly reason?: string })
  /** Confirmed gone. `left`: what it created and what remains, one sentence each. */
  | (WithTarget & {
      readonly type: "TargetRevoked";
      readonly object: string;
      readonly left?: readonly string[];
    })
  /** The target is reached at another address from now on. */
  | (WithTarget & { readonly type: "TargetMoved"; readonly place: string })
  /** Abandoned by an administrator, because the target is lost. Never confirmed gone. */
  | (WithTarget & { readonly type: "TargetAbandoned"; readonly object: string; readonly reason: string })
  /** The differences from the spec have changed. */
  | (WithTarget & {
      readonly type: "TargetDrifted";
      readonly object: string;
      readonly drift: readonly string[];
    });

/** An event and the record it belongs to. */
export type Recorded =
  | { readonly on: "request"; readonly id: RequestId; readonly event: RequestEvent }
  | { readonly on: "grant"; readonly id: GrantId; readonly event: GrantEvent };
