import type { AccessRequest, AskedApprover } from "../access/access-request.ts";
import type { Demand } from "../policy/requirement-model.ts";
import { assertNever } from "../values/assert.ts";
import type { AuditAction, AuditEntry } from "./audit-record.ts";
import type { GrantEvent, Recorded, RequestEvent, TargetEvent } from "../access/events.ts";
import type { CredentialRecord, StartedGrant } from "../access/grant.ts";
import { formatSelector } from "../values/identity.ts";
import type { Target } from "../access/target.ts";
import { formatDuration, formatInstant } from "../values/time.ts";

type Data = AuditEntry["data"];
type ActionData = readonly [action: AuditAction, data: Data];

/**
 * The audit entries of one event: one per transition, written in the same commit. `request` is the request the event
 * belongs to, directly or through its grant. Reasons and comments are people's own words, with tokens already masked.
 */
export function auditEntriesOf(
  recorded: Recorded,
  request: Pick<AccessRequest, "id" | "subjectId">,
): readonly AuditEntry[] {
  const { event } = recorded;
  const entries = recorded.on === "request" ? requestEntries(recorded.event) : grantEntries(recorded.event);
  return entries.map(([action, data]) => ({
    at: event.at,
    action,
    actor: event.by,
    request: request.id,
    identity: request.subjectId,
    data: definedFields(data),
  }));
}

function requestEntries(event: RequestEvent): readonly ActionData[] {
  switch (event.type) {
    case "RequestSubmitted":
      return [["request.submitted", submissionData(event.request)]];
    case "RequestAutoApproved":
      return [["request.auto_approved", { claimDeadline: formatInstant(event.claimDeadline) }]];
    case "BreakGlassUsed":
      return [["break_glass.used", { claimDeadline: formatInstant(event.claimDeadline) }]];
    case "RequestApproved":
      return [["request.approved", approvalData(event)]];
    case "RequestDenied":
      return [["request.denied", { reason: event.reason, policy: event.policyId }]];
    case "RequestCancelled":
      return [["request.cancelled", { reason: event.reason }]];
    case "RequestTimedOut":
      return [["request.timed_out", { waitedFor: event.waitedFor }]];
    case "ApprovedRequestRevoked":
      return [["grant.revoked", { reason: event.reason, started: false }]];
    case "ApproversChanged":
      return [["request.approvers_changed", approversData(event)]];
    case "RequestStranded":
      return [["request.stranded", { stage: event.stage, required: event.required }]];
    case "RequestReachable":
      return [["request.reachable", {}]];
    case "BreakGlassReviewed":
      return [["break_glass.reviewed", { outcome: event.review.outcome, comment: event.review.comment }]];
    case "BreakGlassReviewOverdue":
      return [["break_glass.review_overdue", {}]];
    case "RequestFailed":
      return [["grant.failed", { connector: event.connector, reason: event.reason }]];
    // Recorded in the same commit by the decision, grant.prepared, grant.started and grant.extended.
    case "ApprovalsFrozen":
    case "RequestPreparing":
    case "RequestClaimed":
    case "ExtensionCompleted":
      return [];
    default:
      return stageEntries(event);
  }
}

type EventOf<Type extends RequestEvent["type"]> = Extract<RequestEvent, { type: Type }>;
type StageEvent = EventOf<
  "ApprovalGiven" | "ApprovalDenied" | "StagesAdded" | "ApprovalReminded" | "ApprovalEscalated"
>;

function stageEntries(event: StageEvent): readonly ActionData[] {
  switch (event.type) {
    case "ApprovalGiven":
      return [["approval.given", voteData(event)]];
    case "ApprovalDenied":
      return [["approval.denied", voteData(event)]];
    case "StagesAdded":
      return [["request.stages_added", { demands: event.demands.map(demandData), revision: event.revision }]];
    case "ApprovalReminded":
      return [["approval.reminded", { stage: event.stage, people: idsOf(event.people) }]];
    case "ApprovalEscalated":
      return [
        ["approval.escalated", { stage: event.stage, level: event.level, people: idsOf(event.people) }],
      ];
    default:
      return assertNever(event);
  }
}

function grantEntries(event: GrantEvent): readonly ActionData[] {
  switch (event.type) {
    case "GrantPrepared":
      return [["grant.prepared", { grant: event.grant.id, targets: event.grant.targets.map(specData) }]];
    case "GrantAbandoned":
      return [["grant.abandoned", { reason: event.reason }]];
    case "GrantStarted":
      return [
        ["grant.started", startData(event.grant)],
        ["credential.issued", credentialData(event.grant.credential)],
      ];
    case "CredentialRotated":
      return [["credential.rotated", credentialData(event.credential)]];
    case "GrantExtended":
      return [["grant.extended", { expiresAt: formatInstant(event.expiresAt), extension: event.extension }]];
    case "GrantExpired":
      return [["grant.expired", {}]];
    case "GrantCompleted":
      return [["grant.completed", { note: event.note ?? undefined }]];
    case "GrantRevoked":
      return [["grant.revoked", { reason: event.reason, started: true }]];
    default:
      return targetEntries(event);
  }
}

function targetEntries(event: TargetEvent): readonly ActionData[] {
  const { connector } = event;
  switch (event.type) {
    case "TargetProvisioned":
      return [["target.provisioned", { connector, object: event.object }]];
    case "TargetRevokeOverdue":
      return [["target.revoke_overdue", { connector, object: event.object, reason: event.reason }]];
    case "TargetRevoked":
      return [["target.revoked", { connector, object: event.object, left: event.left }]];
    case "TargetAbandoned":
      return [["connector.abandoned", { connector, object: event.object, reason: event.reason }]];
    case "TargetDrifted":
      return [["target.drifted", { connector, object: event.object, drift: event.drift }]];
    // No transition.
    case "TargetAttempted":
    case "TargetTroubled":
    // Recorded by grant.failed, in the same commit.
    case "TargetFailed":
    // Recorded once per connector, by connector.address_changed.
    case "TargetMoved":
      return [];
    default:
      return assertNever(event);
  }
}

/** With targets, access starts a little before the commit. They were given the end that follows from it. */
function startData({ id, startedAt, expiresAt }: StartedGrant): Data {
  return { grant: id, startedAt: formatInstant(startedAt), expiresAt: formatInstant(expiresAt) };
}

function specData({ spec }: Target): Data {
  const { connector, object, scopes, rights, notAfter } = spec;
  return { connector, object, scopes, rights, notAfter: formatInstant(notAfter) };
}

function credentialData({ id, last4 }: CredentialRecord): Data {
  return { credential: id, last4 };
}

function submissionData(request: AccessRequest): Data {
  return {
    requestedBy: request.requestedById,
    reason: request.reason,
    scopes: request.scopes,
    duration: formatDuration(request.durationMs),
    approvalDeadline: formatInstant(request.approvalDeadline),
    ticket: request.ticket,
    risk: request.risk?.score,
    extends: request.extension?.of,
    breakGlass: request.breakGlass !== undefined,
    demands: request.requirement.demands.map(demandData),
    revision: request.revision,
  };
}

function approvalData({ grantedDurationMs, claimDeadline }: EventOf<"RequestApproved">): Data {
  return { duration: formatDuration(grantedDurationMs), claimDeadline: formatInstant(claimDeadline) };
}

function voteData({ vote }: EventOf<"ApprovalGiven" | "ApprovalDenied">): Data {
  const { stages, as, durationMs, comment } = vote;
  return {
    stages,
    as,
    duration: durationMs === undefined ? undefined : formatDuration(durationMs),
    comment,
  };
}

function approversData({ joined, left }: EventOf<"ApproversChanged">): Data {
  return { joined: joined.map(approverData), left: left.map(approverData) };
}

function approverData({ identityId, stage }: AskedApprover): Data {
  return { person: identityId, stage };
}

function idsOf(people: readonly AskedApprover[]): readonly string[] {
  return people.map(({ identityId }) => identityId);
}

function demandData(demand: Demand): Data {
  return {
    policy: demand.policyId,
    name: demand.policyName,
    version: demand.policyVersion,
    scopes: demand.scopes,
    stages: demand.stages.map((stage) => ({
      number: stage.number,
      approvers: stage.approvers.map(formatSelector),
      required: stage.required,
    })),
  };
}

/** Drops fields without a value, so that the tables above need not. */
function definedFields(data: Data): Data {
  return Object.fromEntries(Object.entries(data).filter(([, value]) => value !== undefined));
}
