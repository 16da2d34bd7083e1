import type { Actor } from "./access-request.ts";
import { onGrant, onRequest, type Case, type Decision } from "./case.ts";
import { liveGrant } from "./ending.ts";
import type { CredentialRecord, Grant } from "./grant.ts";
import type { GrantId, IdentityId, Instant } from "./ids.ts";
import { isActive, type Identity } from "./people.ts";
import { refuse } from "./refusals.ts";
import { assert } from "./assert.ts";
import { deniedBy, inactive, lockedDown, type Assessment } from "./assessment.ts";
import { plus } from "./time.ts";

export interface ClaimFacts {
  readonly byId: IdentityId;
  readonly by: Actor;
  readonly subject: Identity;
  /** Today's policies: at the claim only their denials count. */
  readonly today: Assessment;
  readonly lockdown: boolean;
  readonly grantId: GrantId;
  readonly credential: CredentialRecord;
}

/** Starts the access: the clock of the grant begins now. */
export function decideClaim(kase: Case, facts: ClaimFacts, now: Instant): Decision {
  const { request } = kase;
  const { subject, by } = facts;
  if (facts.byId !== request.subjectId) return refuse("not_requester", "Only the requester can claim this.");
  if (!isActive(subject)) return inactive(subject);
  if (request.phase === "CLAIMED") {
    return refuse(
      "already_claimed",
      "This was already claimed. If the token was lost, replace it with rotate.",
    );
  }
  if (request.phase === "PENDING" && now < request.approvalDeadline) {
    return refuse("not_claimable", "This is not approved yet.");
  }
  if (request.phase !== "APPROVED" || request.claimDeadline === null || now >= request.claimDeadline) {
    return refuse("not_claimable", "This request is over; ask again.");
  }
  if (facts.lockdown && request.breakGlass === undefined) return lockedDown();
  for (const { scope, choice } of facts.today.choices) {
    if (choice.kind === "denied" && choice.policy !== undefined) return deniedBy(choice.policy, scope);
  }
  assert(request.grantedDurationMs !== null, "an approved request has a granted duration");
  const grant: Grant = {
    id: facts.grantId,
    requestId: request.id,
    subjectId: request.subjectId,
    scopes: request.scopes,
    breakGlass: request.breakGlass !== undefined,
    phase: "ACTIVE",
    startedAt: now,
    expiresAt: plus(now, request.grantedDurationMs),
    endedAt: null,
    endReason: null,
    credential: facts.credential,
    targets: [],
  };
  const reviewDueAt = request.breakGlass === undefined ? null : plus(now, request.breakGlass.review.dueMs);
  return [
    ...onRequest(request, [{ type: "RequestClaimed", at: now, by, grantId: grant.id, reviewDueAt }]),
    onGrant(grant, { type: "GrantStarted", at: now, by, grant }),
  ];
}

/** A new token for the same access; the old one is dead in the same commit. */
export function decideRotate(
  kase: Case,
  facts: Pick<ClaimFacts, "byId" | "by" | "subject" | "credential">,
  now: Instant,
): Decision {
  if (facts.byId !== kase.request.subjectId) {
    return refuse("not_requester", "Only the requester can replace their credential.");
  }
  if (!isActive(facts.subject)) return inactive(facts.subject);
  const grant = liveGrant(kase, now);
  if ("refused" in grant) return grant;
  return [onGrant(grant, { type: "CredentialRotated", at: now, by: facts.by, credential: facts.credential })];
}
