import type { AccessRequest, BreakGlassUse } from "../access/access-request.ts";
import { refuseDenied, refuseInactive } from "../access/assessment.ts";
import { onRequest, type Decision } from "../access/access-case.ts";
import { draftRequest, type RequestSpec, type SubmissionContext } from "../access/draft-request.ts";
import type { Instant } from "../values/ids.ts";
import { isActive, withAddressesResolved } from "../values/identity.ts";
import { policyDefaults, type BreakGlassRule } from "../policy/policy.ts";
import { refuse, type Refusal } from "../values/refusals.ts";
import { requirementOf } from "../policy/requirement.ts";
import { formatDuration, plus } from "../values/time.ts";

export interface BreakGlassFacts extends SubmissionContext {
  readonly rule: BreakGlassRule;
  /** Whether the rule's conditions are true, and not merely unknown, for every scope. */
  readonly conditionsHold: boolean;
  /** Review debt of an earlier use, which blocks this one. */
  readonly debt: "overdue" | "unjustified" | undefined;
}

/**
 * Takes access in an emergency: without approval, but only for allowed people, with alerts, a limit and a review.
 */
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
  const draft = { ...draftRequest(spec, facts, terms, now), breakGlass: use };
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
  if (!isActive(subject)) return refuseInactive(subject);
  const isAllowed = rule.allowed.some((selector) =>
    directory.people(selector, subject.id).some(({ id }) => id === subject.id),
  );
  if (spec.requestedById !== spec.subjectId || subject.kind !== "HUMAN" || !isAllowed) {
    return refuse(
      "break_glass_not_allowed",
      "Break-glass is for the people the configuration allows, asking for themselves.",
    );
  }
  const denied = assessment.selections.find(
    ({ selection }) => selection.kind === "denied" && selection.policy !== undefined,
  );
  if (denied?.selection.kind === "denied") return refuseDenied(denied.selection.policy, denied.scope);
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
 * The review debt that blocks a person's next break-glass use (docs/policies.md#break-glass): a use whose review is
 * overdue, or whose last review says unjustified. It ends with a later review or with the lockout.
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
