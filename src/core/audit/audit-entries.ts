import type { AccessRequest, AskedApprover } from "../access/access-request.ts";
import type { Demand } from "../policy/requirement-model.ts";
import { assertNever } from "../values/assert.ts";
import type { AuditAction, AuditEntry } from "./audit-record.ts";
import type { GrantEvent, Recorded, RequestEvent, TargetEvent } from "../access/events.ts";
import type { CredentialRecord, StartedGrant } from "../access/grant.ts";
import type { RequestId } from "../values/ids.ts";
import { formatSelector } from "../values/identity.ts";
import type { Target } from "../access/target.ts";
import { formatDuration, formatInstant } from "../values/time.ts";

type Entry = readonly [action: AuditAction, data: AuditEntry["data"]];

/**
 * The audit records of one event: one per transition, in the commit that makes it. `request` is the access request the
 * event belongs to, directly or through its grant. Reasons and comments are the person's own words, already masked.
 */
export function recordsOf(
  recorded: Recorded,
  request: Pick<AccessRequest, "id" | "subjectId">,
): readonly AuditEntry[] {
  const { event } = recorded;
  const records = recorded.on === "request" ? requestRecords(recorded.event) : grantRecords(recorded.event);
  return records.map(([action, data]) => ({
    at: event.at,
    action,
    actor: event.by,
    request: request.id,
    identity: request.subjectId,
    data,
  }));
}

function requestRecords(event: RequestEvent): readonly Entry[] {
  switch (event.type) {
    case "RequestSubmitted":
      return [["request.submitted", submittedData(event.request)]];
    case "RequestAutoApproved":
      return [["request.auto_approved", { claimDeadline: formatInstant(event.claimDeadline) }]];
    case "BreakGlassUsed":
      return [["break_glass.used", { claimDeadline: formatInstant(event.claimDeadline) }]];
    case "RequestApproved":
      return [
        [
          "request.approved",
          {
            duration: formatDuration(event.grantedDurationMs),
            claimDeadline: formatInstant(event.claimDeadline),
          },
        ],
      ];
    case "RequestDenied":
      return [
        ["request.denied", { reason: event.reason, ...(event.policyId && { policy: event.policyId }) }],
      ];
    case "RequestCancelled":
      return [["request.cancelled", { reason: event.reason }]];
    case "RequestTimedOut":
      return [["request.timed_out", { waitedFor: event.waitedFor }]];
    case "ApprovedRequestRevoked":
      return [["grant.revoked", { reason: event.reason, started: false }]];
    case "ApproversChanged":
      return [
        [
          "request.approvers_changed",
          { joined: event.joined.map(askedData), left: event.left.map(askedData) },
        ],
      ];
    case "RequestStranded":
      return [["request.stranded", { stage: event.stage, required: event.required }]];
    case "RequestReachable":
      return [["request.reachable", {}]];
    case "BreakGlassReviewed":
      return [["break_glass.reviewed", { outcome: event.review.outcome, comment: event.review.comment }]];
    case "BreakGlassReviewOverdue":
      return [["break_glass.review_overdue", {}]];
    case "RequestFailed":
      return [
        [
          "grant.failed",
          { ...(event.connector !== undefined && { connector: event.connector }), reason: event.reason },
        ],
      ];
    // Said by the record of the decision, grant.prepared, grant.started and grant.extended, in the same commit.
    case "ApprovalsFrozen":
    case "RequestPreparing":
    case "RequestClaimed":
    case "ExtensionCompleted":
      return [];
    default:
      return stageRecords(event);
  }
}

type StageEvent = Extract<
  RequestEvent,
  { type: "ApprovalGiven" | "ApprovalDenied" | "StagesAdded" | "ApprovalReminded" | "ApprovalEscalated" }
>;

function stageRecords(event: StageEvent): readonly Entry[] {
  switch (event.type) {
    case "ApprovalGiven":
    case "ApprovalDenied": {
      const { stages, as, durationMs, comment } = event.vote;
      return [
        [
          event.type === "ApprovalGiven" ? "approval.given" : "approval.denied",
          {
            stages,
            ...(as !== undefined && { as }),
            ...(durationMs !== undefined && { duration: formatDuration(durationMs) }),
            ...(comment !== undefined && { comment }),
          },
        ],
      ];
    }
    case "StagesAdded":
      return [["request.stages_added", { demands: event.demands.map(demandData), revision: event.revision }]];
    case "ApprovalReminded":
      return [
        ["approval.reminded", { stage: event.stage, people: event.people.map((one) => one.identityId) }],
      ];
    case "ApprovalEscalated":
      return [
        [
          "approval.escalated",
          { stage: event.stage, level: event.level, people: event.people.map((one) => one.identityId) },
        ],
      ];
    default:
      return assertNever(event);
  }
}

function grantRecords(event: GrantEvent): readonly Entry[] {
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
      return [["grant.completed", event.note === null ? {} : { note: event.note }]];
    case "GrantRevoked":
      return [["grant.revoked", { reason: event.reason, started: true }]];
    default:
      return targetRecords(event);
  }
}

function targetRecords(event: TargetEvent): readonly Entry[] {
  const { connector } = event;
  switch (event.type) {
    // The first two are no transition, the third is told by grant.failed in the same commit.
    case "TargetAttempted":
    case "TargetTroubled":
    case "TargetFailed":
    // Told once for the connector, by connector.address_changed.
    case "TargetMoved":
      return [];
    case "TargetProvisioned":
      return [["target.provisioned", { connector, object: event.object }]];
    case "TargetRevokeOverdue":
      return [
        [
          "target.revoke_overdue",
          { connector, object: event.object, ...(event.reason !== undefined && { reason: event.reason }) },
        ],
      ];
    case "TargetRevoked":
      return [
        [
          "target.revoked",
          { connector, object: event.object, ...(event.left !== undefined && { left: event.left }) },
        ],
      ];
    case "TargetAbandoned":
      return [["connector.abandoned", { connector, object: event.object, reason: event.reason }]];
    case "TargetDrifted":
      return [["target.drifted", { connector, object: event.object, drift: event.drift }]];
    default:
      return assertNever(event);
  }
}

/** When its clock began: with targets a little before the commit, for they were told the end that follows from it. */
function startData({ id, startedAt, expiresAt }: StartedGrant): AuditEntry["data"] {
  return { grant: id, startedAt: formatInstant(startedAt), expiresAt: formatInstant(expiresAt) };
}

function specData({ spec }: Target): AuditEntry["data"] {
  const { connector, object, scopes, rights, notAfter } = spec;
  return { connector, object, scopes, rights, notAfter: formatInstant(notAfter) };
}

function credentialData({ id, last4 }: CredentialRecord): AuditEntry["data"] {
  return { credential: id, last4 };
}

function submittedData(request: AccessRequest): AuditEntry["data"] {
  const { requirement, extension, ticket, risk } = request;
  const extendedRequest: RequestId | undefined = extension?.of;
  return {
    requestedBy: request.requestedById,
    reason: request.reason,
    scopes: request.scopes,
    duration: formatDuration(request.durationMs),
    approvalDeadline: formatInstant(request.approvalDeadline),
    ...(ticket !== undefined && { ticket }),
    ...(risk !== null && { risk: risk.score }),
    ...(extendedRequest !== undefined && { extends: extendedRequest }),
    breakGlass: request.breakGlass !== undefined,
    demands: requirement.demands.map(demandData),
    revision: request.revision,
  };
}

function askedData({ identityId, stage }: AskedApprover): AuditEntry["data"] {
  return { person: identityId, stage };
}

function demandData(demand: Demand): AuditEntry["data"] {
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
