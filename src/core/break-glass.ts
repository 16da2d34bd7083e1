import type { AccessRequest, Actor } from "./access-request.ts";
import { onGrant, onRequest, type Case, type Decision } from "./case.ts";
import type { Instant } from "./ids.ts";
import { isActive, type Directory, type Identity } from "./people.ts";
import { refuse } from "./refusals.ts";
import { inactive } from "./submitting.ts";
import { endedEarly } from "./ending.ts";
import { plus } from "./time.ts";

/**
 * What stands against this person's next break-glass use (contract §5): a use whose review is overdue, or whose last
 * review says unjustified, until a later review clears it or the lockout is over.
 */
export function debtOf(uses: readonly AccessRequest[], now: Instant): "overdue" | "unjustified" | undefined {
  for (const { breakGlass } of uses) {
    if (breakGlass === undefined || breakGlass.reviewDueAt === null) continue;
    const { review, reviews, reviewDueAt } = breakGlass;
    const last = reviews.at(-1);
    if (last?.outcome === "unjustified" && now < plus(last.at, review.lockoutMs)) return "unjustified";
    const isOverdue = last === undefined && now >= reviewDueAt && now < plus(reviewDueAt, review.lockoutMs);
    if (isOverdue && review.overdue === "refuse") return "overdue";
  }
  return undefined;
}

/** Whether this person may judge the use: named by the frozen rule, and never who took it. */
export function isReviewerOf(request: AccessRequest, person: Identity, directory: Directory): boolean {
  const { breakGlass } = request;
  return (
    breakGlass !== undefined &&
    person.id !== request.subjectId &&
    breakGlass.review.by.some((selector) =>
      directory.people(selector, request.subjectId).some((one) => one.id === person.id),
    )
  );
}

export interface ReviewFacts {
  readonly person: Identity;
  readonly by: Actor;
  readonly directory: Directory;
}

/** Judges a break-glass use, during or after it. "Unjustified" ends what is still open of it in the same commit. */
export function decideReview(
  kase: Case,
  judgement: { readonly outcome: "justified" | "unjustified"; readonly comment: string },
  facts: ReviewFacts,
  now: Instant,
): Decision {
  const { request, grant } = kase;
  const { person, by } = facts;
  if (!isActive(person)) return inactive(person);
  if (!isReviewerOf(request, person, facts.directory) || person.kind !== "HUMAN") {
    return refuse("not_a_reviewer", "You are not a reviewer of this access.");
  }
  const wasTaken =
    request.phase === "CLAIMED" || (request.phase === "APPROVED" && now < (request.claimDeadline ?? now));
  if (!wasTaken) return refuse("not_active", "This access never started, so there is nothing to review.");
  if (request.breakGlass?.reviews.some((review) => review.by === person.id) === true) {
    return refuse(
      "already_voted",
      "You have already reviewed this; only another reviewer can judge it again.",
    );
  }
  const { outcome, comment } = judgement;
  const reviewed = onRequest(request, [
    { type: "BreakGlassReviewed", at: now, by, review: { by: person.id, at: now, outcome, comment } },
  ]);
  if (outcome === "justified") return reviewed;
  const reason = `reviewed as unjustified: ${comment}`;
  if (request.phase === "APPROVED") {
    return [...reviewed, ...onRequest(request, [{ type: "ApprovedRequestRevoked", at: now, by, reason }])];
  }
  if (grant === undefined || grant.phase !== "ACTIVE" || now >= grant.expiresAt) return reviewed;
  return [
    ...reviewed,
    onGrant(grant, { type: "GrantRevoked", at: now, by, reason }),
    ...endedEarly(kase, by, now),
  ];
}
