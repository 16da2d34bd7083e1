import type { AccessRequest } from "./access-request.ts";
import { assertNever } from "../values/assert.ts";
import { hasStarted, type Grant, type StartedGrant } from "./grant.ts";
import type { Instant } from "../values/ids.ts";

/** The status people and programs see (docs/lifecycle.md#statuses). */
export const statuses = [
  "PENDING",
  "APPROVED",
  "ACTIVE",
  "DENIED",
  "CANCELLED",
  "TIMED_OUT",
  "FAILED",
  "EXPIRED",
  "COMPLETED",
  "REVOKED",
] as const;
export type Status = (typeof statuses)[number];

export interface CurrentStatus {
  readonly status: Status;
  readonly endedAt: Instant | null;
  readonly endReason: string | null;
}

/** Derives the status from state and clock. It is right even before a sweep has recorded an end. */
export function statusOf(request: AccessRequest, grant: Grant | undefined, now: Instant): CurrentStatus {
  const { phase, endedAt, endReason } = request;
  switch (phase) {
    case "PENDING":
      return now < request.approvalDeadline
        ? { status: "PENDING", endedAt: null, endReason: null }
        : { status: "TIMED_OUT", endedAt: request.approvalDeadline, endReason: "nobody decided in time" };
    case "APPROVED":
      return request.claimDeadline === null || now < request.claimDeadline
        ? { status: "APPROVED", endedAt: null, endReason: null }
        : { status: "TIMED_OUT", endedAt: request.claimDeadline, endReason: "not claimed in time" };
    case "CLAIMED":
      return hasStarted(grant) ? statusOfGrant(grant, now) : { status: "FAILED", endedAt, endReason };
    case "COMPLETED":
    case "DENIED":
    case "CANCELLED":
    case "TIMED_OUT":
    case "REVOKED":
    case "FAILED":
      return { status: phase, endedAt, endReason };
    default:
      return assertNever(phase);
  }
}

function statusOfGrant(grant: StartedGrant, now: Instant): CurrentStatus {
  if (grant.phase === "ACTIVE" && now >= grant.expiresAt) {
    return { status: "EXPIRED", endedAt: grant.expiresAt, endReason: "expired" };
  }
  return { status: grant.phase, endedAt: grant.endedAt, endReason: grant.endReason };
}
