import type { AccessRequest } from "./access-request.ts";
import { assertNever } from "../values/assert.ts";
import { hasStarted, type Grant, type StartedGrant } from "./grant.ts";
import type { Instant } from "../values/ids.ts";

/** The one status people and programs see (contract §1). */
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

export interface StatusNow {
  readonly status: Status;
  readonly endedAt: Instant | null;
  readonly endReason: string | null;
}

/** Read from state and clock, so that what is past its time reads as over whether or not a sweep has written it. */
export function statusOf(request: AccessRequest, grant: Grant | undefined, now: Instant): StatusNow {
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

function statusOfGrant(grant: StartedGrant, now: Instant): StatusNow {
  if (grant.phase === "ACTIVE" && now >= grant.expiresAt) {
    return { status: "EXPIRED", endedAt: grant.expiresAt, endReason: "its time was over" };
  }
  return { status: grant.phase, endedAt: grant.endedAt, endReason: grant.endReason };
}
