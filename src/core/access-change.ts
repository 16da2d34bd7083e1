import type { AuditAction } from "./audit-record.ts";

/**
 * What a commit with a record of this action does to access. Every verb that gives or ends access leaves a record in the
 * same commit, so the store can tell the two apart, and a new verb cannot be forgotten.
 *
 * - gives: brings somebody nearer to access, or hands out a secret. Refused while new access is held back.
 * - ends: takes access away, says no, or lets the service start so that it can. Written even when the disk is full.
 */
export const accessChanges: { readonly [Action in AuditAction]: "gives" | "ends" | "none" } = {
  "request.submitted": "gives",
  "request.refused": "none",
  "request.auto_approved": "gives",
  "request.stages_added": "gives",
  "approval.given": "gives",
  "approval.denied": "ends",
  "decision.refused": "none",
  "request.approved": "gives",
  "request.denied": "ends",
  "request.cancelled": "ends",
  "request.timed_out": "ends",
  "approval.reminded": "none",
  "approval.escalated": "none",
  "grant.started": "gives",
  "grant.expired": "ends",
  "grant.completed": "ends",
  "grant.revoked": "ends",
  "grant.extended": "gives",
  "grant.failed": "ends",
  "grant.prepared": "gives",
  "grant.abandoned": "ends",
  "credential.issued": "gives",
  "credential.rotated": "gives",
  "credential.used": "none",
  "target.provisioned": "none",
  "target.revoked": "ends",
  "target.revoke_overdue": "ends",
  "target.drifted": "none",
  "orphan.found": "ends",
  "orphan.removed": "ends",
  "break_glass.used": "gives",
  "break_glass.reviewed": "ends",
  "break_glass.review_overdue": "ends",
  "identity.created": "none",
  "identity.changed": "none",
  "identity.linked": "none",
  "identity.deactivated": "ends",
  "api_key.created": "none",
  "api_key.deleted": "ends",
  "policy.changed": "none",
  "config.loaded": "ends",
  "config.refused": "none",
  "lockdown.changed": "ends",
  "audit.exported": "none",
  "notification.failed": "none",
  "clock.accepted": "none",
  "audit.head_accepted": "none",
  "audit.read_refused": "none",
};
