import type { AccessRequest, BreakGlassUse } from "../access/access-request.ts";
import { deniedBy, inactive } from "../access/assessment.ts";
import { onRequest, type Decision } from "../access/access-case.ts";
import { draftOf, type RequestSpec, type SubmissionFactsAtHand } from "../access/draft-request.ts";
import type { Instant } from "../values/ids.ts";
import { isActive, withAddressesResolved } from "../values/identity.ts";
import { policyDefaults, type BreakGlassRule } from "../policy/policy.ts";
import { refuse, type Refusal } from "../values/refusals.ts";
import { requirementOf } from "../policy/requirement.ts";
import { formatDuration, plus } from "../values/time.ts";

export interface BreakGlassFacts extends SubmissionFactsAtHand {
  readonly rule: BreakGlassRule;
  /** The rule's conditions hold, certainly, for every scope. */
  readonly conditionsHold: boolean;
  /** An earlier use that stands against this one. */
  readonly debt: "overdue" | "unjustified" | undefined;
}

/** Takes access in an emergency: no approval, but allowed people only, alerts, a limit and a review. */
export function decideBreakGlass(spec: RequestSpec, facts: BreakGlassFacts, now: Instant): Decision {
  const refusal = breakGlassRefusal(spec, facts);
  if (refusal !== undefined) return refusal;
  const { rule } = facts;
  const use: BreakGlassUse = {
    review: {
      ...rule.review,
      by: withAddressesResolved(rule.review.by, facts.directory, spec.subjectId),
    },
    notify: rule.notify,
    reviews: [],
    reviewDueAt: null,
    overdueAt: null,
  };
  const terms = requirementOf([]);
  const draft = { ...draftOf(spec, facts, terms, now), breakGlass: use };
  return onRequest(draft, [
    { type: "RequestSubmitted", at: now, by: facts.by, request: draft },
    {
      type: "BreakGlassUsed",
      at: now,
      by: facts.by,
      claimDeadline: plus(now, policyDefaults.claimWindowMs),
      limit: rule.limit,
    },
  ]);
}

function breakGlassRefusal(spec: RequestSpec, facts: BreakGlassFacts): Refusal | undefined {
  const { rule, subject, directory, assessment } = facts;
  if (!isActive(subject)) return inactive(subject);
  const isAllowed = rule.allowed.some((one) =>
    directory.people(one, subject.id).some((p) => p.id === subject.id),
  );
  if (spec.requestedById !== spec.subjectId || subject.kind !== "HUMAN" || !isAllowed) {
    return refuse(
      "break_glass_not_allowed",
      "Break-glass is for the people the configuration allows, asking for themselves.",
    );
  }
  const denied = assessment.selections.find(
    (one) => one.selection.kind === "denied" && one.selection.policy !== undefined,
  );
  if (denied?.selection.kind === "denied") return deniedBy(denied.selection.policy, denied.scope);
  if (!facts.conditionsHold) {
    return refuse(
      "break_glass_not_allowed",
      "The configuration does not let this access be taken by break-glass.",
    );
  }
  if (spec.durationMs > rule.maxDurationMs) {
    return refuse(
      "duration_exceeds_policy",
      `Break-glass lasts at most ${formatDuration(rule.maxDurationMs)}; ask for less.`,
    );
  }
  if (facts.debt !== undefined) {
    return refuse(
      "break_glass_review_due",
      facts.debt === "overdue"
        ? "An earlier break-glass use of yours has not been reviewed in time; ask a reviewer to judge it first."
        : "An earlier break-glass use of yours was judged unjustified; another reviewer must judge it first.",
    );
  }
  return undefined;
}

/**
 * What stands against this person's next break-glass use (contract §5): a use whose review is overdue, or whose last
 * review says unjustified, until a later review clears it or the lockout is over.
 */
export function reviewDebtOf(
  uses: readonly AccessRequest[],
  now: Instant,
): "overdue" | "unjustified" | undefined {
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
