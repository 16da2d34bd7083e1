import type { ApproverReviewService } from "../service/approver-review-service.ts";
import type { ServiceContext } from "../service/loading.ts";
import { newEffect } from "../service/step-of.ts";
import type { Runner } from "./runners.ts";

/** Looks at the waiting requests that a change of people may concern: one batch at a time, each with an effect of its own. */
export function createApproverReviewing(
  { surroundings }: ServiceContext,
  reviews: ApproverReviewService,
): Runner<"review_approvers"> {
  return {
    async run({ kind, change, after }) {
      const next = await reviews.reviewBatch(after, change);
      if (next === null) return undefined;
      return {
        effects: [newEffect({ kind, change, after: next }, { now: surroundings.now(), surroundings })],
      };
    },
  };
}
