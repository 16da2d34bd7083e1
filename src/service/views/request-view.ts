import type { AccessRequest, NotifyChannel } from "../../core/access/access-request.ts";
import type { Risk } from "../../core/policy/requirement-model.ts";
import { hasStarted, type Grant } from "../../core/access/grant.ts";
import type { IdentityId, Instant } from "../../core/values/ids.ts";
import type { Directory } from "../../core/values/identity.ts";
import { statusOf, type Status } from "../../core/access/status.ts";
import type { Target, TargetState } from "../../core/access/target.ts";
import { formatDuration, formatInstant } from "../../core/values/time.ts";
import { approvalsOf, approverViews, type ApproverView } from "./approver-views.ts";
import { notificationState } from "./delivery-status.ts";
import type { Delivery } from "../ports/store.ts";

export type { ApproverView };

/** What callers may see of a request. It has no field for a secret. Times are RFC 3339, durations like `4h`. */
export interface RequestView {
  readonly id: string;
  readonly status: Status;
  readonly identityId: string;
  readonly requestedBy: string;
  readonly requestedAt: string;
  readonly expiresAt: string | null;
  readonly reason: string;
  readonly scopes: readonly string[];
  readonly duration: string;
  readonly grantedDuration: string | null;
  readonly ticket: string | null;
  readonly metadata: Readonly<Record<string, string>>;
  readonly notifyChannels: readonly NotifyChannel[];
  readonly notifications: readonly { readonly channel: NotifyChannel; readonly state: string }[];
  readonly breakGlass: boolean;
  readonly extends: string | null;
  readonly approvalDeadline: string | null;
  readonly claimDeadline: string | null;
  readonly decidedAt: string | null;
  readonly startedAt: string | null;
  readonly endedAt: string | null;
  readonly endReason: string | null;
  readonly policies: readonly {
    readonly id: string;
    readonly name: string;
    readonly version: number;
    readonly scopes: readonly string[];
  }[];
  readonly risk: Risk | null;
  readonly approvals: readonly {
    readonly stage: number;
    readonly required: number;
    readonly given: number;
  }[];
  readonly approvers: readonly ApproverView[];
  /** While it needs more approvers than exist: since when, and in which stage. */
  readonly stranded: { readonly since: string; readonly stage: number } | null;
  readonly revision: string;
  readonly grant: GrantView | null;
  readonly review: ReviewView | null;
}

export interface GrantView {
  readonly id: string;
  /** Null while its targets are being prepared, like `expiresAt` and `credential`. */
  readonly startedAt: string | null;
  readonly expiresAt: string | null;
  readonly endedAt: string | null;
  readonly credential: { readonly id: string; readonly last4: string } | null;
  readonly targets: readonly TargetView[];
}

/** One object of ours at a target, and its state. */
export interface TargetView {
  readonly connector: string;
  readonly object: string;
  readonly state: TargetState;
  readonly scopes: readonly string[];
  /** When its desired state was last decided. */
  readonly since: string;
  /** The latest time at which it may still exist there. */
  readonly notAfter: string;
  /** When the target confirmed its removal. */
  readonly clearedAt: string | null;
  /** What was changed at the target by hand. */
  readonly drift: readonly string[];
  /** Why the last attempt failed; null when it did not. */
  readonly problem: string | null;
}

export interface ReviewView {
  readonly dueAt: string | null;
  readonly isOverdue: boolean;
  readonly reviews: readonly {
    readonly by: string;
    /** The reviewer's name at that time. */
    readonly name: string;
    readonly at: string;
    readonly outcome: "justified" | "unjustified";
    readonly comment: string;
    /** Who created the API key that the review was made with. */
    readonly keyMintedBy?: string;
  }[];
}

/** A new credential, for its owner's answer alone. No other view contains a token. */
export interface CredentialView {
  readonly id: string;
  readonly token: string;
  readonly expiresAt: string;
  readonly targets: readonly CredentialTarget[];
}

/** What its owner gets from one target. It is shown only here. */
export interface CredentialTarget {
  readonly connector: string;
  readonly kind: string;
  readonly where: string;
  readonly username: string;
  readonly secret: string | null;
  readonly expiresAt: string;
  readonly command: string | null;
  /** Why there is no new secret, and what to do. */
  readonly problem?: string;
}

export interface ViewFacts {
  readonly grant: Grant | undefined;
  readonly directory: Directory;
  /** The channels that are configured in this installation. */
  readonly configured: ReadonlySet<NotifyChannel>;
  /** The messages about this request so far. */
  readonly deliveries: readonly Delivery[];
  readonly reachable?: ReadonlyMap<IdentityId, readonly NotifyChannel[]>;
  readonly now: Instant;
}

/** The request as the API shows it (docs/api.md), by state and clock. */
export function requestView(request: AccessRequest, facts: ViewFacts): RequestView {
  const { grant, directory, now } = facts;
  const own = request.extension === undefined ? grant : undefined;
  const { status, endedAt, endReason } = statusOf(request, own, now);
  const approvals = approvalsOf(request, status, directory);
  const { extension, breakGlass } = request;
  return {
    id: request.id,
    status,
    identityId: request.subjectId,
    requestedBy: request.requestedById,
    requestedAt: formatInstant(request.requestedAt),
    expiresAt: hasStarted(own) ? formatInstant(own.expiresAt) : null,
    reason: request.reason,
    scopes: request.scopes,
    duration: formatDuration(request.durationMs),
    grantedDuration: request.grantedDurationMs === null ? null : formatDuration(request.grantedDurationMs),
    ticket: request.ticket ?? null,
    metadata: request.metadata,
    notifyChannels: request.notifyChannels,
    notifications: request.notifyChannels.map((channel) => ({
      channel,
      state: notificationState(channel, facts.deliveries, facts.configured),
    })),
    breakGlass: breakGlass !== undefined,
    extends: extension?.of ?? null,
    approvalDeadline: approvals.stages.length === 0 ? null : formatInstant(request.approvalDeadline),
    claimDeadline: timeOrNull(request.claimDeadline),
    decidedAt: timeOrNull(request.decidedAt),
    startedAt: hasStarted(own) ? formatInstant(own.startedAt) : null,
    endedAt: timeOrNull(endedAt),
    endReason,
    policies: request.requirement.demands.map((demand) => ({
      id: demand.policyId,
      name: demand.policyName,
      version: demand.policyVersion,
      scopes: demand.scopes,
    })),
    risk: request.risk,
    approvals: approvals.stages,
    approvers: approverViews(request, status, approvals, facts),
    stranded:
      status === "PENDING" && request.stranded?.until === null
        ? { since: formatInstant(request.stranded.since), stage: request.stranded.stage }
        : null,
    revision: request.revision,
    grant: own === undefined ? null : grantView(own, endedAt),
    review: reviewView(request, now),
  };
}

function grantView(grant: Grant, endedAt: Instant | null): GrantView {
  const started = hasStarted(grant) ? grant : undefined;
  return {
    id: grant.id,
    startedAt: timeOrNull(started?.startedAt ?? null),
    expiresAt: timeOrNull(started?.expiresAt ?? null),
    endedAt: timeOrNull(started === undefined ? grant.endedAt : endedAt),
    credential: started === undefined ? null : { id: started.credential.id, last4: started.credential.last4 },
    targets: grant.targets.map(targetView),
  };
}

function targetView({ spec, state, since, clearedAt, drift, problem }: Target): TargetView {
  const { connector, object, scopes, notAfter } = spec;
  return {
    connector,
    object,
    state,
    scopes,
    since: formatInstant(since),
    notAfter: formatInstant(notAfter),
    clearedAt: timeOrNull(clearedAt),
    drift,
    problem: problem ?? null,
  };
}

function reviewView(request: AccessRequest, now: Instant): ReviewView | null {
  const { breakGlass } = request;
  if (breakGlass === undefined) return null;
  const dueAt = breakGlass.reviewDueAt;
  return {
    dueAt: timeOrNull(dueAt),
    isOverdue: breakGlass.reviews.length === 0 && dueAt !== null && now >= dueAt,
    reviews: breakGlass.reviews.map(({ key, at, ...review }) => ({
      ...review,
      name: review.name ?? review.by,
      at: formatInstant(at),
      ...(key !== undefined && { keyMintedBy: key.mintedBy }),
    })),
  };
}

function timeOrNull(at: Instant | null): string | null {
  return at === null ? null : formatInstant(at);
}
