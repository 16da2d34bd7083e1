import type { ApproverReviewService } from "../../../service/requests/approver-review-service.ts";
import type { ServiceContext } from "../../../service/decisions/load-facts.ts";
import type { NewEffect } from "../../../service/ports/store.ts";
import { newEffect } from "../../../service/decisions/build-step.ts";
import { updatesOf } from "../deliveries/delivery-updates.ts";
import type { Runner } from "../runner.ts";

/**
 * Re-evaluates the approvers of waiting requests after people changed, one batch per effect. After the last batch it
 * also updates the messages of requests that were decided before, and notifies people who can now review an emergency.
 */
export function createApproverReviewer(
  context: ServiceContext,
  reviews: ApproverReviewService,
): Runner<"review_approvers"> {
  return {
    async run({ kind, change, after }) {
      const next = await reviews.reviewBatch(after, change);
      const { store, runtime } = context;
      const now = runtime.now();
      if (next !== null) {
        return { effects: [newEffect({ kind, change, after: next }, { now, runtime })] };
      }
      const shown = change === null ? [] : await reviews.shownRequests(change);
      const effects: NewEffect[] = [];
      for (const requestId of shown) {
        // A message that is not sent yet will show the current state when it is.
        const deliveries = (await store.deliveries([requestId])).filter(({ state }) => state === "SENT");
        const updates = deliveries.flatMap((delivery) => updatesOf(context, requestId, delivery));
        effects.push(...updates.map((effect) => newEffect(effect, { now, runtime })));
      }
      for (const { requestId, people } of await reviews.newReviewers(change)) {
        const notices = [{ notice: "reviewer_added", people }] as const;
        effects.push(newEffect({ kind: "announce", requestId, notices }, { now, runtime }));
      }
      return { effects };
    },
  };
}
