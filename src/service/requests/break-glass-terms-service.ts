import { formatDuration } from "../../core/values/time.ts";
import type { Caller } from "../ports/caller.ts";
import { loadPeople, type ServiceContext } from "../decisions/load-facts.ts";

/** What a person is shown before they use break-glass. */
export interface BreakGlassTerms {
  /** Whether the configuration names them. The request itself decides again. */
  readonly isAllowed: boolean;
  readonly maxDuration: string;
  readonly limit: { readonly max: number; readonly per: string };
  /** References of the channels that are alerted. */
  readonly alerted: readonly string[];
  /** Who may review it, except the caller. */
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
