import type { AccessRequest, Actor } from "../access/access-request.ts";
import { refuseInactive } from "../access/assessment.ts";
import { onGrant, onRequest, type AccessCase, type Decision } from "../access/access-case.ts";
import { endExtension, revokeBeforeStart } from "./decide-end.ts";
import type { IdentityId, Instant } from "../values/ids.ts";
import { refuseSelfMadeApprover } from "../values/identity-origins.ts";
import { isActive, type Directory, type Identity } from "../values/identity.ts";
import { refuse } from "../values/refusals.ts";

/** Whether this person may review the use: the frozen rule names them, and they did not take it. */
export function isReviewerOf(request: AccessRequest, person: Identity, directory: Directory): boolean {
  const { breakGlass } = request;
  return (
    breakGlass !== undefined &&
    person.id !== request.subjectId &&
    breakGlass.review.by.some((selector) =>
      directory.people(selector, request.subjectId).some(({ id }) => id === person.id),
    )
  );
}

export interface ReviewFacts {
  readonly person: Identity;
  readonly by: Actor;
  /** People who influenced how this person is recognised; see `peopleBehind`. */
  readonly behind: readonly IdentityId[];
  readonly directory: Directory;
}

/** Reviews a break-glass use, during or after it. "Unjustified" ends what is still open of it in the same commit. */
export function decideReview(
  accessCase: AccessCase,
  verdict: { readonly outcome: "justified" | "unjustified"; readonly comment: string },
  facts: ReviewFacts,
  now: Instant,
): Decision {
  const { request, grant } = accessCase;
  const { person, by } = facts;
  if (!isActive(person)) return refuseInactive(person);
  if (!isReviewerOf(request, person, facts.directory) || person.kind !== "HUMAN") {
    return refuse("not_a_reviewer", "You are not a reviewer of this access.");
  }
  const selfApproval = refuseSelfMadeApprover(request, facts.behind);
  if (selfApproval !== undefined) return selfApproval;
  const hasBeenTaken =
    request.phase === "CLAIMED" || (request.phase === "APPROVED" && now < (request.claimDeadline ?? now));
  if (!hasBeenTaken) return refuse("not_active", "This access never started, so there is nothing to review.");
  if (request.breakGlass?.reviews.some((review) => review.by === person.id) === true) {
    return refuse(
      "already_voted",
      "You have already reviewed this; only another reviewer can judge it again.",
    );
  }
  const { outcome, comment } = verdict;
  const { key } = by;
  const { id, name } = person;
  const review = { by: id, name, at: now, outcome, comment, ...(key !== undefined && { key }) };
  const reviewed = onRequest(request, [{ type: "BreakGlassReviewed", at: now, by, review }]);
  if (outcome === "justified") return reviewed;
  const reason = `reviewed as unjustified: ${comment}`;
  if (request.phase === "APPROVED") {
    return [...reviewed, ...revokeBeforeStart(accessCase, reason, by, now)];
  }
  if (grant === undefined || grant.phase !== "ACTIVE" || now >= grant.expiresAt) return reviewed;
  return [
    ...reviewed,
    onGrant(grant, { type: "GrantRevoked", at: now, by, reason }),
    ...endExtension(accessCase, by, now),
  ];
}
