import type { ApproverReviewService } from "../../../service/requests/approver-review-service.ts";
import type { ServiceContext } from "../../../service/decisions/load-facts.ts";
import type { NewEffect } from "../../../service/ports/store.ts";
import { newEffect } from "../../../service/decisions/build-step.ts";
import { deliveryUpdate } from "./announce-request.ts";
import type { Runner } from "../runner.ts";

/**
 * Looks at the waiting requests that a change of people may concern: one batch at a time, each with an effect of its own.
 * At last the messages of requests that were decided before are made true as well, and who can judge an emergency from
 * now on is told of it.
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
        // What is still on its way says how things stand when it is posted.
        const deliveries = (await store.deliveries([requestId])).filter((one) => one.state === "SENT");
        const updates = deliveries.flatMap((delivery) => deliveryUpdate(context, requestId, delivery));
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
