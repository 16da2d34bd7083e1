import type { AccessRequest, Actor } from "../access/access-request.ts";
import { onGrant, onRequest, type AccessCase, type Decision } from "../access/access-case.ts";
import { requireLiveGrant } from "./decide-end.ts";
import { isOver, type CredentialRecord, type StartedGrant } from "../access/grant.ts";
import type { GrantId, IdentityId, Instant } from "../values/ids.ts";
import { isActive, type Identity } from "../values/identity.ts";
import { refuse, type Refusal } from "../values/refusals.ts";
import { areReady } from "../access/target.ts";
import { assert } from "../values/assert.ts";
import { refuseDenied, refuseInactive, refuseLockdown, type Assessment } from "../access/assessment.ts";
import { plus } from "../values/time.ts";

export interface ClaimFacts {
  readonly byId: IdentityId;
  readonly by: Actor;
  readonly subject: Identity;
  /** Current policies; at the claim only their denials count. */
  readonly current: Assessment;
  readonly lockdown: boolean;
  readonly credential: CredentialRecord;
  /** The id for a grant without targets; a prepared grant has its own. */
  readonly grantId: GrantId;
  /** When access starts; its targets were given the end that follows from it. */
  readonly startedAt: Instant;
  /** Whether secrets were issued at the targets of a prepared grant. */
  readonly isPrepared: boolean;
}

/** A request that can be claimed: approved, with a granted duration. */
export type Claimable = AccessRequest & { readonly grantedDurationMs: number };

/** Returns the request if this person may start its access now. */
export function requireClaimable(
  accessCase: AccessCase,
  facts: Pick<ClaimFacts, "byId" | "subject" | "current" | "lockdown">,
  now: Instant,
): Claimable | Refusal {
  const { request } = accessCase;
  const { subject } = facts;
  if (facts.byId !== request.subjectId) return refuse("not_requester", "Only the requester can claim this.");
  if (!isActive(subject)) return refuseInactive(subject);
  if (request.phase === "CLAIMED") {
    return refuse(
      "already_claimed",
      isOver(accessCase.grant, now)
        ? "This was claimed, and the access is over; ask again."
        : "This was already claimed. If the token was lost, replace it with rotate.",
    );
  }
  if (request.phase === "PENDING" && now < request.approvalDeadline) {
    return refuse("not_claimable", "This is not approved yet.");
  }
  if (request.phase === "FAILED") {
    return refuse(
      "not_claimable",
      `This request has failed: ${request.endReason ?? "a target could not provide the access"}.`,
    );
  }
  if (request.phase !== "APPROVED" || request.claimDeadline === null || now >= request.claimDeadline) {
    return refuse("not_claimable", "This request is over; ask again.");
  }
  if (facts.lockdown && request.breakGlass === undefined) return refuseLockdown();
  for (const { scope, selection } of facts.current.selections) {
    if (selection.kind === "denied" && selection.policy !== undefined)
      return refuseDenied(selection.policy, scope);
  }
  const { grantedDurationMs } = request;
  assert(grantedDurationMs !== null, "an approved request has a granted duration");
  return { ...request, grantedDurationMs };
}

/** Starts access as of `startedAt`. Everything prepared for it must be ready. */
export function decideClaim(accessCase: AccessCase, facts: ClaimFacts, now: Instant): Decision {
  const request = requireClaimable(accessCase, facts, now);
  if ("refused" in request) return request;
  const { by, startedAt } = facts;
  const prepared = accessCase.grant?.phase === "PREPARING" ? accessCase.grant : undefined;
  const isReady = prepared !== undefined && areReady(prepared.targets) && now < prepared.claimBy;
  if (isReady !== facts.isPrepared || (prepared !== undefined && !isReady)) {
    return refuse("not_claimable", "This is still being prepared; claim it again.");
  }
  const expiresAt = plus(startedAt, request.grantedDurationMs);
  const grant: StartedGrant = {
    id: prepared?.id ?? facts.grantId,
    requestId: request.id,
    subjectId: request.subjectId,
    scopes: request.scopes,
    breakGlass: request.breakGlass !== undefined,
    phase: "ACTIVE",
    startedAt,
    expiresAt,
    endedAt: null,
    endReason: null,
    credential: facts.credential,
    // The exact end is known now and replaces the latest possible one.
    targets: (prepared?.targets ?? []).map((target) => ({
      ...target,
      spec: { ...target.spec, notAfter: expiresAt },
      since: now,
    })),
  };
  const reviewDueAt =
    request.breakGlass === undefined ? null : plus(startedAt, request.breakGlass.review.dueMs);
  return [
    ...onRequest(request, [{ type: "RequestClaimed", at: now, by, grantId: grant.id, reviewDueAt }]),
    onGrant(grant, { type: "GrantStarted", at: now, by, grant }),
  ];
}

/** Replaces the token of the same access; the old one stops working with the same commit. */
export function decideRotate(
  accessCase: AccessCase,
  facts: Pick<ClaimFacts, "byId" | "by" | "subject" | "credential">,
  now: Instant,
): Decision {
  if (facts.byId !== accessCase.request.subjectId) {
    return refuse("not_requester", "Only the requester can replace their credential.");
  }
  if (!isActive(facts.subject)) return refuseInactive(facts.subject);
  const grant = requireLiveGrant(accessCase, now);
  if ("refused" in grant) return grant;
  return [onGrant(grant, { type: "CredentialRotated", at: now, by: facts.by, credential: facts.credential })];
}
