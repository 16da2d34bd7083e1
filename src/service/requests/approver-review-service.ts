import type { AccessRequest } from "../../core/access/access-request.ts";
import { mayConcern, mayConcernReviewers, type ChangedPeople } from "../../core/access/identity-changes.ts";
import type { IdentityId, RequestId } from "../../core/values/ids.ts";
import { isRefusal } from "../../core/values/refusals.ts";
import { decideApproverReview } from "../../core/decisions/decide-approver-review.ts";
import { isGivenUp } from "../views/delivery-status.ts";
import { decideCase } from "../decisions/decide-case.ts";
import { loadPeople, type ServiceContext } from "../decisions/load-facts.ts";
import { idsIn, selectorsIn } from "../decisions/loaded-people.ts";
import { StoreUnavailable } from "../ports/store.ts";

/** How many waiting requests are read at once. */
export const reviewBatchMax = 50;

/** Applies a change of people to the requests that wait for approvers. */
export interface ApproverReviewService {
  /**
   * Reviews one batch of waiting requests: those that the change may affect, or all of them without a change. Returns
   * where the next batch begins; null after the last. `after`: 0 for the first batch.
   */
  reviewBatch(after: number, change: ChangedPeople | null): Promise<number | null>;
  /**
   * Requests whose messages may offer these people wrong actions. Includes decided requests, where access may be
   * revoked or an emergency has to be reviewed.
   */
  shownRequests(change: ChangedPeople): Promise<readonly RequestId[]>;
  /** Reviewers of an emergency without a review who have not been notified of it; `change` as above. */
  newReviewers(change: ChangedPeople | null): Promise<readonly NewReviewers[]>;
}

export interface NewReviewers {
  readonly requestId: RequestId;
  readonly people: readonly IdentityId[];
}

export function createApproverReviewService(context: ServiceContext): ApproverReviewService {
  const { store } = context;
  return {
    async reviewBatch(after, change) {
      const batch = await store.waitingRequests(after, reviewBatchMax);
      const unknown = new Set<string>();
      for (const { request } of batch) {
        await nextTurn();
        if (isBlocked(request, unknown) || !(await isConcerned(context, request, change, mayConcern)))
          continue;
        for (const group of await review(context, request)) unknown.add(group);
      }
      const last = batch.at(-1);
      return batch.length < reviewBatchMax || last === undefined ? null : last.ord;
    },
    async shownRequests({ people }) {
      const shown = new Set<RequestId>();
      for (const id of people) {
        for (const request of await store.openRequestsShownTo(id)) shown.add(request);
        // Their manager may have changed.
        for (const request of await store.openRequestsOf(id)) shown.add(request);
        await nextTurn();
      }
      return [...shown];
    },
    async newReviewers(change) {
      const found: NewReviewers[] = [];
      for await (const request of openReviews(context)) {
        if (!(await isConcerned(context, request, change, mayConcernReviewers))) continue;
        const people = await reviewersToNotify(context, request);
        if (people.length > 0) found.push({ requestId: request.id, people });
      }
      return found;
    },
  };
}

/** Lets other work run between any two requests. */
async function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Whether it names a group that Slack has just failed to return, so that Slack is not called for each request. */
function isBlocked(request: AccessRequest, unknown: ReadonlySet<string>): boolean {
  return selectorsIn(request).some((one) => one.kind === "slack-usergroup" && unknown.has(one.id));
}

/** Whether the change may concern the people that `mayConcernThem` looks at: approvers, or reviewers. */
async function isConcerned(
  { store }: ServiceContext,
  request: AccessRequest,
  change: ChangedPeople | null,
  mayConcernThem: typeof mayConcern,
): Promise<boolean> {
  if (change === null) return true;
  const subject = await store.identity(request.subjectId);
  return mayConcernThem(change, request, subject?.value.managerId);
}

/** Emergencies without a review, read in batches. */
async function* openReviews({ store }: ServiceContext): AsyncGenerator<AccessRequest> {
  let after = 0;
  for (;;) {
    const batch = await store.openReviews(after, reviewBatchMax);
    for (const { ord, request } of batch) {
      await nextTurn();
      after = ord;
      if (request.breakGlass?.reviews.length === 0) yield request;
    }
    if (batch.length < reviewBatchMax) return;
  }
}

/** Reviewers who have no card and none on its way. Empty before the first announcement, or while a group is unknown. */
async function reviewersToNotify(
  context: ServiceContext,
  request: AccessRequest,
): Promise<readonly IdentityId[]> {
  const { id, subjectId, breakGlass } = request;
  const deliveries = await context.store.deliveries([id]);
  // The first announcement is still pending, and will notify everyone who can review it then.
  if (deliveries.length === 0) return [];
  const by = breakGlass?.review.by ?? [];
  const { directory, unknownGroups } = await loadPeople(context, [subjectId], by);
  if (unknownGroups.length > 0) return [];
  const ofReviewers = deliveries.filter((one) => one.audience === "reviewer" && !isGivenUp(one));
  const notified = new Set(ofReviewers.map((one) => one.readerId));
  const people = by.flatMap((selector) => directory.people(selector, subjectId));
  return [
    ...new Set(people.filter((one) => one.id !== subjectId && !notified.has(one.id)).map((one) => one.id)),
  ];
}

/** Reviews one request. Returns Slack groups with unknown members; while there are any, nothing is decided. */
async function review(context: ServiceContext, { id }: AccessRequest): Promise<readonly string[]> {
  let unknown: readonly string[] = [];
  const outcome = await decideCase(context, id, async ({ accessCase: { request }, rules }) => {
    const people = await loadPeople(context, idsIn(request), selectorsIn(request), { rules });
    unknown = people.unknownGroups;
    const decision =
      unknown.length > 0 ? [] : decideApproverReview(request, people.directory, context.runtime.now());
    return { decision, expects: [], people };
  });
  if (isRefusal(outcome) && outcome.refused === "store_unavailable")
    throw new StoreUnavailable(outcome.detail);
  return unknown;
}
