import type { Actor } from "../access/access-request.ts";
import { isApproverOf } from "../access/approvals.ts";
import { onGrant, onRequest, systemActor, type AccessCase, type Decision } from "../access/access-case.ts";
import type { Recorded } from "../access/events.ts";
import { hasStarted, isLive, isOver, type StartedGrant } from "../access/grant.ts";
import type { IdentityId, Instant } from "../values/ids.ts";
import type { Directory } from "../values/identity.ts";
import { refuse, type Refusal } from "../values/refusals.ts";

/** Withdraws a request before access started. `byId`: the requester, or the person who submitted it for them. */
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
  return cancelRequest(accessCase, reason, by, now);
}

function cancelRequest(accessCase: AccessCase, reason: string, by: Actor, now: Instant): Decision {
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
  const isUndecidedOrUnclaimed = request.phase === "PENDING" || request.phase === "APPROVED";
  if (!isUndecidedOrUnclaimed || (deadline !== null && now >= deadline)) {
    return refuse("already_decided", "This request is already over; there is nothing to cancel.");
  }
  return [
    ...onRequest(request, [{ type: "RequestCancelled", at: now, by, reason }]),
    ...abandonPreparation(accessCase, "its request was cancelled", by, now),
  ];
}

/** Ends access for its holder. Only they, or the credential itself, may do this. */
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
  const grant = requireLiveGrant(accessCase, now);
  if ("refused" in grant) return grant;
  return [
    onGrant(grant, { type: "GrantCompleted", at: now, by, note }),
    ...endExtension(accessCase, by, now),
  ];
}

/** Ends access early, before or after it started. The caller checks the right, see {@link isRevoker}. */
export function decideRevoke(accessCase: AccessCase, reason: string, by: Actor, now: Instant): Decision {
  const { request } = accessCase;
  if (request.phase === "APPROVED" && request.claimDeadline !== null && now < request.claimDeadline) {
    return revokeBeforeStart(accessCase, reason, by, now);
  }
  const grant = requireLiveGrant(accessCase, now);
  if ("refused" in grant) return grant;
  return [
    onGrant(grant, { type: "GrantRevoked", at: now, by, reason }),
    ...endExtension(accessCase, by, now),
  ];
}

/** Revokes an approved request before access started, with everything prepared for it. */
export function revokeBeforeStart(
  accessCase: AccessCase,
  reason: string,
  by: Actor,
  now: Instant,
): readonly Recorded[] {
  return [
    ...onRequest(accessCase.request, [{ type: "ApprovedRequestRevoked", at: now, by, reason }]),
    ...abandonPreparation(accessCase, "its request was revoked", by, now),
  ];
}

/** Abandons a grant that is being prepared; its targets are taken back. */
export function abandonPreparation(
  { grant }: AccessCase,
  reason: string,
  by: Actor,
  now: Instant,
): readonly Recorded[] {
  return grant?.phase === "PREPARING"
    ? [onGrant(grant, { type: "GrantAbandoned", at: now, by, reason })]
    : [];
}

/** Ends a request or its access, whatever the phase, because its holder is no longer active. */
export function decideEndAll(accessCase: AccessCase, reason: string, by: Actor, now: Instant): Decision {
  const { request } = accessCase;
  if (request.phase === "PENDING" || request.phase === "APPROVED")
    return cancelRequest(accessCase, reason, by, now);
  return decideRevoke(accessCase, reason, by, now);
}

/** Whether this person may revoke the access, as an approver of its request. */
export function isRevoker(accessCase: AccessCase, person: IdentityId, directory: Directory): boolean {
  return isApproverOf(accessCase.request, person, directory);
}

/** Ends the open extension of a grant that ends early. */
export function endExtension(accessCase: AccessCase, by: Actor, now: Instant): readonly Recorded[] {
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

/** Returns the grant while it gives access, or a refusal. */
export function requireLiveGrant({ request, grant }: AccessCase, now: Instant): StartedGrant | Refusal {
  if (request.extension === undefined && hasStarted(grant) && isLive(grant, now)) return grant;
  if (request.extension !== undefined) {
    return refuse("not_active", "An extension is no access of its own; use the request it extends.");
  }
  return request.phase === "CLAIMED"
    ? refuse("not_active", "This access is already over.")
    : refuse("not_active", "This access has not started.");
}
