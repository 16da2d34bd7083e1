import type {
  AccessRequest,
  AskedApprover,
  DecidedApprovals,
  NotifyChannel,
  Risk,
} from "../core/access-request.ts";
import { approversOf, progressOf } from "../core/approvals.ts";
import { hasStarted, type Grant } from "../core/grant.ts";
import type { IdentityId, Instant } from "../core/ids.ts";
import type { Directory } from "../core/people.ts";
import { stagesOf } from "../core/requirement.ts";
import { approvalsAsDecided, nameOf } from "../core/freeze-approvals.ts";
import { statusOf, type Status } from "../core/status.ts";
import type { Target, TargetState } from "../core/target.ts";
import { formatDuration, formatInstant } from "../core/time.ts";
import { notificationState } from "./copies.ts";
import type { Copy } from "./ports.ts";

/** What callers may see of a request. No secret has a field here. Times are RFC 3339, durations like `4h`. */
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
  readonly revision: string;
  readonly grant: GrantView | null;
  readonly review: ReviewView | null;
}

export interface ApproverView {
  readonly identityId: string;
  readonly name: string;
  readonly email: string | null;
  readonly stage: number;
  readonly status: "PENDING" | "APPROVED" | "DENIED" | "ESCALATED" | "NOT_NEEDED";
  readonly at?: string;
  readonly comment?: string;
  /** Of who has decided: the selectors that meant them then. */
  readonly as?: readonly string[];
  /** Who made the API key the decision came with. */
  readonly keyMintedBy?: string;
  /** While pending and where anything is configured: on which channels they can be told. Empty: nowhere. */
  readonly reachableOn?: readonly NotifyChannel[];
}

export interface GrantView {
  readonly id: string;
  /** Null, like `expiresAt` and `credential`, while its targets are being made ready. */
  readonly startedAt: string | null;
  readonly expiresAt: string | null;
  readonly endedAt: string | null;
  readonly credential: { readonly id: string; readonly last4: string } | null;
  readonly targets: readonly TargetView[];
}

/** One object of ours at a real system, as far as it has come. */
export interface TargetView {
  readonly connector: string;
  readonly object: string;
  readonly state: TargetState;
  readonly scopes: readonly string[];
  /** When what it should be was last decided. */
  readonly since: string;
  /** The latest end it may have there. */
  readonly notAfter: string;
  /** When the target confirmed that nothing is left. */
  readonly clearedAt: string | null;
  /** What was changed there by hand. */
  readonly drift: readonly string[];
}

export interface ReviewView {
  readonly dueAt: string | null;
  readonly isOverdue: boolean;
  readonly reviews: readonly {
    readonly by: string;
    /** The name the reviewer had then. */
    readonly name: string;
    readonly at: string;
    readonly outcome: "justified" | "unjustified";
    readonly comment: string;
    /** Who made the API key the judgement came with. */
    readonly keyMintedBy?: string;
  }[];
}

/** A freshly made credential: the only view that carries a token, for its owner's answer alone. */
export interface CredentialView {
  readonly id: string;
  readonly token: string;
  readonly expiresAt: string;
  readonly targets: readonly CredentialTarget[];
}

/** What its owner gets of one target: once, here. */
export interface CredentialTarget {
  readonly connector: string;
  readonly kind: string;
  readonly where: string;
  readonly username: string;
  readonly secret: string | null;
  readonly expiresAt: string;
  readonly command: string | null;
  /** Why there is no new secret although one was asked for, and what to do. */
  readonly problem?: string;
}

export interface ViewFacts {
  readonly grant: Grant | undefined;
  readonly directory: Directory;
  /** Which channels can be reached at all in this installation. */
  readonly configured: ReadonlySet<NotifyChannel>;
  /** What has been told of this request so far. */
  readonly copies: readonly Copy[];
  readonly reachable?: ReadonlyMap<IdentityId, readonly NotifyChannel[]>;
  readonly now: Instant;
}

/** The request as the contract shows it, by state and clock at this moment. */
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
      state: notificationState(channel, facts.copies, facts.configured),
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

function targetView({ order, state, since, clearedAt, drift }: Target): TargetView {
  const { connector, object, scopes, notAfter } = order;
  return {
    connector,
    object,
    state,
    scopes,
    since: formatInstant(since),
    notAfter: formatInstant(notAfter),
    clearedAt: timeOrNull(clearedAt),
    drift,
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

/**
 * While pending: what counts now and who could decide now, beside who has. Afterwards: as it stood when it was decided.
 * What the clock has ended and no sweep has written yet is shown by the people asked.
 */
function approvalsOf(request: AccessRequest, status: Status, directory: Directory): DecidedApprovals {
  if (request.phase !== "PENDING") return approvalsAsDecided(request, directory);
  const stages = progressOf(request, directory).map(({ stage, given }) => ({
    stage: stage.number,
    required: stage.required,
    given: given.length,
  }));
  if (status !== "PENDING") return { ...approvalsAsDecided(request, directory), stages };
  const approvers = stagesOf(request.requirement).flatMap((stage) => {
    const voters = request.votes.filter((vote) => vote.stages.includes(stage.number));
    const current = approversOf(request, stage, directory).map((person) => person.id);
    return [...new Set([...current, ...voters.map((vote) => vote.by)])].map((id) => ({
      identityId: id,
      stage: stage.number,
      ...nameOf(
        id,
        voters.findLast((one) => one.by === id),
        directory,
      ),
    }));
  });
  return { stages, approvers };
}

function approverViews(
  request: AccessRequest,
  status: Status,
  { stages, approvers }: DecidedApprovals,
  { reachable }: Pick<ViewFacts, "reachable">,
): readonly ApproverView[] {
  return approvers.map(({ identityId, name, email, stage }) => {
    const vote = request.votes.findLast((one) => one.by === identityId && one.stages.includes(stage));
    const count = stages.find((one) => one.stage === stage);
    const isWaiting = status === "PENDING" && count !== undefined && count.given < count.required;
    const asked = request.asked.filter((one) => one.stage === stage);
    return {
      identityId,
      name,
      email,
      stage,
      status: vote?.decision ?? waitingAs(asked, identityId, isWaiting),
      ...(vote !== undefined && { at: formatInstant(vote.at) }),
      ...(vote?.comment !== undefined && { comment: vote.comment }),
      ...(vote?.as !== undefined && { as: vote.as }),
      ...(vote?.key !== undefined && { keyMintedBy: vote.key.mintedBy }),
      ...(reachable !== undefined &&
        status === "PENDING" && { reachableOn: reachable.get(identityId) ?? [] }),
    };
  });
}

function waitingAs(
  asked: readonly AskedApprover[],
  id: string,
  isWaiting: boolean,
): "PENDING" | "ESCALATED" | "NOT_NEEDED" {
  if (!isWaiting) return "NOT_NEEDED";
  return asked.some((one) => one.identityId === id && one.escalated) ? "ESCALATED" : "PENDING";
}

function timeOrNull(at: Instant | null): string | null {
  return at === null ? null : formatInstant(at);
}
