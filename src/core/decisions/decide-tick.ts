import { onGrant, onRequest, systemActor, type AccessCase, type Decision } from "../access/access-case.ts";
import { abandonPreparation } from "./decide-end.ts";
import { dueReminders } from "../access/escalation.ts";
import type { Instant } from "../values/ids.ts";
import type { Directory } from "../values/identity.ts";
import { tickPreparation } from "./decide-preparation.ts";

/**
 * Records what time alone changes: expiry, a passed deadline, reminders and escalations, an overdue review. Returns
 * nothing when nothing is due, so running it twice is harmless. By the clock, access had already ended.
 */
export function decideTick(
  accessCase: AccessCase,
  directory: Directory,
  now: Instant,
): Exclude<Decision, { refused: string }> {
  const { request, grant } = accessCase;
  const by = systemActor;
  if (request.phase === "PENDING") {
    return now >= request.approvalDeadline
      ? onRequest(request, [{ type: "RequestTimedOut", at: now, by, waitedFor: "approval" }])
      : onRequest(request, dueReminders(request, directory, now, by));
  }
  if (request.phase === "APPROVED") {
    return request.claimDeadline !== null && now >= request.claimDeadline
      ? [
          ...onRequest(request, [{ type: "RequestTimedOut", at: now, by, waitedFor: "claim" }]),
          ...abandonPreparation(accessCase, "it was not claimed in time", by, now),
        ]
      : tickPreparation(accessCase, now);
  }
  if (request.phase !== "CLAIMED") return [];
  const isExpired = grant?.phase === "ACTIVE" && now >= grant.expiresAt;
  const { breakGlass } = request;
  const isOverdue =
    breakGlass !== undefined &&
    breakGlass.reviews.length === 0 &&
    breakGlass.overdueAt === null &&
    breakGlass.reviewDueAt !== null &&
    now >= breakGlass.reviewDueAt;
  return [
    ...(isExpired ? [onGrant(grant, { type: "GrantExpired", at: now, by })] : []),
    ...(isOverdue ? onRequest(request, [{ type: "BreakGlassReviewOverdue", at: now, by }]) : []),
  ];
}
