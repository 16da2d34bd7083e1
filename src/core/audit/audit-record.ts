import type { Actor } from "../access/access-request.ts";
import type { IdentityId, Instant, RequestId } from "../values/ids.ts";

/** Every action of the audit log (docs/audit.md#actions). */
export const auditActions = [
  "request.submitted",
  "request.refused",
  "request.auto_approved",
  "request.stages_added",
  "approval.given",
  "approval.denied",
  "decision.refused",
  "request.approved",
  "request.denied",
  "request.cancelled",
  "request.timed_out",
  "request.approvers_changed",
  "request.stranded",
  "request.reachable",
  "approval.reminded",
  "approval.escalated",
  "grant.started",
  "grant.expired",
  "grant.completed",
  "grant.revoked",
  "grant.extended",
  "grant.failed",
  "grant.prepared",
  "grant.abandoned",
  "credential.issued",
  "credential.rotated",
  "credential.used",
  "target.provisioned",
  "target.revoked",
  "target.revoke_overdue",
  "target.drifted",
  "connector.abandoned",
  "connector.address_changed",
  "orphan.found",
  "orphan.removed",
  "break_glass.used",
  "break_glass.reviewed",
  "break_glass.review_overdue",
  "identity.created",
  "identity.changed",
  "identity.linked",
  "identity.deactivated",
  "api_key.created",
  "api_key.deleted",
  "policy.changed",
  "config.loaded",
  "config.refused",
  "lockdown.changed",
  "audit.exported",
  "notification.failed",
  "clock.accepted",
  "audit.head_accepted",
  "audit.read_refused",
] as const;
export type AuditAction = (typeof auditActions)[number];

/** One audit record, before the store adds it to the hash chain. */
export interface AuditEntry {
  readonly at: Instant;
  readonly action: AuditAction;
  readonly actor: Actor;
  readonly request?: RequestId;
  readonly identity?: IdentityId;
  /** Facts of the transition; never a secret or a raw body. */
  readonly data: Readonly<Record<string, unknown>>;
}
