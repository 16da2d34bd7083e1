import { formatDuration } from "../../core/values/time.ts";
import type { Caller } from "../ports/caller.ts";
import { loadPeople, type ServiceContext } from "../decisions/load-facts.ts";

/** What somebody is told before they break the glass. */
export interface BreakGlassTerms {
  /** Named by the configuration, as far as is known now; the ask itself decides. */
  readonly isAllowed: boolean;
  readonly maxDuration: string;
  readonly limit: { readonly max: number; readonly per: string };
  /** Channel references that are alerted. */
  readonly alerted: readonly string[];
  /** Who may review it, without the caller. */
  readonly reviewerNames: readonly string[];
  readonly reviewDue: string;
}

export interface BreakGlassTermsService {
  terms(caller: Caller): Promise<BreakGlassTerms>;
}

export function createBreakGlassTermsService(context: ServiceContext): BreakGlassTermsService {
  return {
    async terms(caller) {
      const rules = await context.rulebook();
      const { breakGlass } = rules.book.rules;
      const { allowed, limit, maxDurationMs, notify, review } = breakGlass;
      const { id, kind } = caller.identity;
      const { directory } = await loadPeople(context, [id], [...allowed, ...review.by], { rules });
      const isNamed = allowed.some((one) => directory.people(one, id).some((person) => person.id === id));
      const reviewers = review.by.flatMap((one) => directory.people(one, id)).filter((one) => one.id !== id);
      return {
        isAllowed: kind === "HUMAN" && isNamed,
        maxDuration: formatDuration(maxDurationMs),
        limit: { max: limit.max, per: formatDuration(limit.perMs) },
        alerted: notify,
        reviewerNames: [...new Set(reviewers.map((one) => one.name))],
        reviewDue: formatDuration(review.dueMs),
      };
    },
  };
}
