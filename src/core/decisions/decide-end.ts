import type { Actor } from "../access/access-request.ts";
import { isApproverOf } from "../access/approvals.ts";
import { onGrant, onRequest, systemActor, type AccessCase, type Decision } from "../access/access-case.ts";
import type { Recorded } from "../access/events.ts";
import { hasStarted, isLive, isOver, type StartedGrant } from "../access/grant.ts";
import type { IdentityId, Instant } from "../values/ids.ts";
import type { Directory } from "../values/identity.ts";
import { refuse, type Refusal } from "../values/refusals.ts";

/** Withdraws a request before access started. `byId`: the requester, or who asked for them. */
export function decideCancel(
  accessCase: AccessCase,
  byId: IdentityId,
  reason: string,
  by: Actor,
  now: Instant,
): Decision {
  const { request } = accessCase;
  if (byId !== request.subjectId && byId !== request.requestedById) {
    return refuse("not_requester", "Only who asked for it can cancel a request.");
  }
  return cancelled(accessCase, reason, by, now);
}

function cancelled(accessCase: AccessCase, reason: string, by: Actor, now: Instant): Decision {
  const { request } = accessCase;
  if (request.phase === "CLAIMED") {
    return refuse(
      "already_claimed",
      isOver(accessCase.grant, now)
        ? "The access has started and is over; there is nothing to cancel."
        : "The access has already started; complete it instead.",
    );
  }
  const deadline = request.phase === "PENDING" ? request.approvalDeadline : request.claimDeadline;
  const isOpenNow = request.phase === "PENDING" || request.phase === "APPROVED";
  if (!isOpenNow || (deadline !== null && now >= deadline)) {
    return refuse("already_decided", "This request is already over; there is nothing to cancel.");
  }
  return [
    ...onRequest(request, [{ type: "RequestCancelled", at: now, by, reason }]),
    ...abandoned(accessCase, "its request was cancelled", by, now),
  ];
}

/** The holder is done. Only they, or the credential itself, may say so. */
export function decideComplete(
  accessCase: AccessCase,
  byId: IdentityId,
  note: string | null,
  by: Actor,
  now: Instant,
): Decision {
  const { request } = accessCase;
  if (byId !== request.subjectId)
    return refuse("not_requester", "Only the requester can complete their access.");
  const grant = liveGrant(accessCase, now);
  if ("refused" in grant) return grant;
  return [onGrant(grant, { type: "GrantCompleted", at: now, by, note }), ...endedEarly(accessCase, by, now)];
}

/** Ends it early, before or after it started. `mayRevoke` is settled by {@link isRevoker}. */
export function decideRevoke(accessCase: AccessCase, reason: string, by: Actor, now: Instant): Decision {
  const { request } = accessCase;
  if (request.phase === "APPROVED" && request.claimDeadline !== null && now < request.claimDeadline) {
    return revokedBeforeStart(accessCase, reason, by, now);
  }
  const grant = liveGrant(accessCase, now);
  if ("refused" in grant) return grant;
  return [onGrant(grant, { type: "GrantRevoked", at: now, by, reason }), ...endedEarly(accessCase, by, now)];
}

/** Ends what is approved and not started, with what was being prepared for it. */
export function revokedBeforeStart(
  accessCase: AccessCase,
  reason: string,
  by: Actor,
  now: Instant,
): readonly Recorded[] {
  return [
    ...onRequest(accessCase.request, [{ type: "ApprovedRequestRevoked", at: now, by, reason }]),
    ...abandoned(accessCase, "its request was revoked", by, now),
  ];
}

/** What is being prepared and will not start. Its targets are taken back. */
export function abandoned(
  { grant }: AccessCase,
  reason: string,
  by: Actor,
  now: Instant,
): readonly Recorded[] {
  return grant?.phase === "PREPARING"
    ? [onGrant(grant, { type: "GrantAbandoned", at: now, by, reason })]
    : [];
}

/** Everything this request has open or live ends, whatever its phase: its holder is no longer active. */
export function decideEndAll(accessCase: AccessCase, reason: string, by: Actor, now: Instant): Decision {
  const { request } = accessCase;
  if (request.phase === "PENDING" || request.phase === "APPROVED")
    return cancelled(accessCase, reason, by, now);
  return decideRevoke(accessCase, reason, by, now);
}

/** Whether this person is an approver of the request, and so may revoke what it led to. */
export function isRevoker(accessCase: AccessCase, person: IdentityId, directory: Directory): boolean {
  return isApproverOf(accessCase.request, person, directory);
}

/** What else ends with a grant that ends early: its open extension, unless time has ended that before. */
export function endedEarly(accessCase: AccessCase, by: Actor, now: Instant): readonly Recorded[] {
  const { extension } = accessCase;
  if (extension === undefined || extension.phase !== "PENDING") return [];
  if (now >= extension.approvalDeadline) {
    return onRequest(extension, [
      { type: "RequestTimedOut", at: now, by: systemActor, waitedFor: "approval" },
    ]);
  }
  return onRequest(extension, [
    { type: "RequestCancelled", at: now, by, reason: "the access it would extend has ended" },
  ]);
}

/** The case's grant while it is usable, or why there is none. */
export function liveGrant({ request, grant }: AccessCase, now: Instant): StartedGrant | Refusal {
  if (request.extension === undefined && hasStarted(grant) && isLive(grant, now)) return grant;
  if (request.extension !== undefined) {
    return refuse("not_active", "An extension is no access of its own; use the request it extends.");
  }
  return request.phase === "CLAIMED"
    ? refuse("not_active", "This access is already over.")
    : refuse("not_active", "This access has not started.");
}
