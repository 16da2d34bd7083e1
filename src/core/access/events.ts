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

interface Happened {
  readonly at: Instant;
  readonly by: Actor;
}

/** One use of a policy with a `maxUsage`, counted in the commit that approves. */
export interface PolicyUse {
  readonly policyId: PolicyId;
  readonly max: number;
  /** Absent: counted for ever. */
  readonly periodMs?: number;
}

/** What can happen to an access request. `evolveRequest` folds these and nothing else into its state. */
export type RequestEvent =
  | (Happened & { readonly type: "RequestSubmitted"; readonly request: AccessRequest })
  /** Every governing policy approves by itself. */
  | (Happened & {
      readonly type: "RequestAutoApproved";
      readonly claimDeadline: Instant;
      readonly uses: readonly PolicyUse[];
    })
  /** Taken in an emergency: open to claim without approval. */
  | (Happened & {
      readonly type: "BreakGlassUsed";
      readonly claimDeadline: Instant;
      readonly limit: { readonly max: number; readonly perMs: number };
    })
  | (Happened & {
      readonly type: "ApprovalGiven";
      readonly vote: Vote;
      /** Stages that this press opened, and the people asked because of it. */
      readonly opened: readonly number[];
      readonly asked: readonly AskedApprover[];
    })
  /** Today's policies demand more than was frozen. */
  | (Happened & {
      readonly type: "StagesAdded";
      readonly demands: readonly Demand[];
      readonly revision: string;
      readonly opened: readonly number[];
      readonly asked: readonly AskedApprover[];
    })
  | (Happened & {
      readonly type: "RequestApproved";
      readonly grantedDurationMs: number;
      readonly claimDeadline: Instant;
      readonly uses: readonly PolicyUse[];
    })
  | (Happened & { readonly type: "ApprovalDenied"; readonly vote: Vote })
  | (Happened & { readonly type: "RequestDenied"; readonly reason: string; readonly policyId?: PolicyId })
  | (Happened & { readonly type: "RequestCancelled"; readonly reason: string })
  | (Happened & { readonly type: "RequestTimedOut"; readonly waitedFor: "approval" | "claim" })
  | (Happened & {
      readonly type: "ApprovalReminded";
      readonly stage: number;
      readonly count: number;
      readonly people: readonly AskedApprover[];
    })
  | (Happened & {
      readonly type: "ApprovalEscalated";
      readonly stage: number;
      readonly level: number;
      readonly people: readonly AskedApprover[];
    })
  /** People have changed: `joined` may decide an open stage from now on, also once more, and `left` no longer may. */
  | (Happened & {
      readonly type: "ApproversChanged";
      readonly joined: readonly AskedApprover[];
      readonly left: readonly AskedApprover[];
    })
  /** Too few people are left who could decide this stage. It waits on, and the same access may be asked again. */
  | (Happened & { readonly type: "RequestStranded"; readonly stage: number; readonly required: number })
  /** Enough people can decide it again. */
  | (Happened & { readonly type: "RequestReachable" })
  /** It no longer waits: its approvals stay as they stand at this moment. */
  | (Happened & { readonly type: "ApprovalsFrozen"; readonly approvals: DecidedApprovals })
  /** Claimed, and its targets are being made ready; approved it stays until everything is. */
  | (Happened & { readonly type: "RequestPreparing"; readonly grantId: GrantId })
  /** A target could not give it. `connector`: which. */
  /** `connector`: which one could not give it; absent when the configuration has none for it any more. */
  | (Happened & { readonly type: "RequestFailed"; readonly connector?: string; readonly reason: string })
  | (Happened & {
      readonly type: "RequestClaimed";
      readonly grantId: GrantId;
      readonly reviewDueAt: Instant | null;
    })
  /** Ended by somebody after the approval and before the claim. */
  | (Happened & { readonly type: "ApprovedRequestRevoked"; readonly reason: string })
  /** An extension that has moved its grant's end. */
  | (Happened & { readonly type: "ExtensionCompleted" })
  | (Happened & { readonly type: "BreakGlassReviewed"; readonly review: Review })
  | (Happened & { readonly type: "BreakGlassReviewOverdue" });

/** What can happen to a grant. */
export type GrantEvent =
  /** The intent, with every order, before anything exists anywhere. */
  | (Happened & { readonly type: "GrantPrepared"; readonly grant: UnstartedGrant })
  /** Over before it started. */
  | (Happened & { readonly type: "GrantAbandoned"; readonly reason: string })
  | (Happened & { readonly type: "GrantStarted"; readonly grant: StartedGrant })
  | (Happened & { readonly type: "CredentialRotated"; readonly credential: CredentialRecord })
  | (Happened & {
      readonly type: "GrantExtended";
      readonly expiresAt: Instant;
      readonly extension: RequestId;
    })
  | (Happened & { readonly type: "GrantExpired" })
  | (Happened & { readonly type: "GrantCompleted"; readonly note: string | null })
  | (Happened & { readonly type: "GrantRevoked"; readonly reason: string })
  | TargetEvent;

interface WithTarget extends Happened {
  /** Names the target among its grant's. */
  readonly connector: string;
}

/** What can happen to one target of a grant. */
export type TargetEvent =
  | (WithTarget & { readonly type: "TargetAttempted" })
  | (WithTarget & {
      readonly type: "TargetProvisioned";
      readonly object: string;
      readonly identity?: ObjectIdentity;
    })
  | (WithTarget & { readonly type: "TargetFailed" })
  /** An attempt has failed, for another reason than the last; `problem` is for people and holds no secret. */
  | (WithTarget & { readonly type: "TargetTroubled"; readonly problem: string })
  | (WithTarget & { readonly type: "TargetRevokeOverdue"; readonly object: string; readonly reason?: string })
  /** Confirmed gone. `left`: what it made and what stays, one sentence each. */
  | (WithTarget & {
      readonly type: "TargetRevoked";
      readonly object: string;
      readonly left?: readonly string[];
    })
  /** Its target is reached at another address from now on. */
  | (WithTarget & { readonly type: "TargetMoved"; readonly place: string })
  /** Given up by an administrator, because the target is lost: never confirmed gone. */
  | (WithTarget & { readonly type: "TargetAbandoned"; readonly object: string; readonly reason: string })
  /** What differs there from what it should be, when that has changed. */
  | (WithTarget & {
      readonly type: "TargetDrifted";
      readonly object: string;
      readonly drift: readonly string[];
    });

/** An event with the record it belongs to. */
export type Recorded =
  | { readonly on: "request"; readonly id: RequestId; readonly event: RequestEvent }
  | { readonly on: "grant"; readonly id: GrantId; readonly event: GrantEvent };
