import type { AccessRequest } from "../../../core/access/access-request.ts";
import type { Effect } from "../../../core/effects/effects.ts";
import type { Audience, Notice, NoticeKind } from "../../../core/effects/notices.ts";
import type { IdentityId } from "../../../core/values/ids.ts";
import { newEffect } from "../../../service/decisions/build-step.ts";
import type { ServiceContext } from "../../../service/decisions/load-facts.ts";
import type { Runner } from "../runner.ts";
import { reviewersOf } from "../deliveries/recipients.ts";

/** How many requests are read at a time. */
const batchMax = 50;

/** Announces what waits for a person who has just become reachable in chat: decisions first, then open reviews. */
export function createWaitingAnnouncer(context: ServiceContext): Runner<"announce_waiting"> {
  const { store, runtime } = context;
  return {
    async run({ identityId, after }) {
      const batch = await store.waitingRequests(after, batchMax);
      const effects: Effect[] = [];
      for (const { request } of batch) {
        if (await isDecisionAwaited(context, request, identityId)) {
          effects.push(announce(request, "waiting", identityId));
        }
      }
      const last = batch.at(-1);
      if (batch.length === batchMax && last !== undefined) {
        effects.push({ kind: "announce_waiting", identityId, after: last.ord });
      } else {
        effects.push(...(await announceOpenReviews(context, identityId)));
      }
      const now = runtime.now();
      return { effects: effects.map((effect) => newEffect(effect, { now, runtime })) };
    },
  };
}

async function announceOpenReviews(
  context: ServiceContext,
  identityId: IdentityId,
): Promise<readonly Effect[]> {
  const effects: Effect[] = [];
  for (let after = 0; ;) {
    const batch = await context.store.openReviews(after, batchMax);
    for (const { ord, request } of batch) {
      after = ord;
      if (await isReviewAwaited(context, request, identityId)) {
        effects.push(announce(request, "review_waiting", identityId));
      }
    }
    if (batch.length < batchMax) return effects;
  }
}

function announce({ id }: AccessRequest, notice: NoticeKind, identityId: IdentityId): Effect {
  const notices: readonly Notice[] = [{ notice, people: [identityId] }];
  return { kind: "announce", requestId: id, notices };
}

async function isDecisionAwaited(
  context: ServiceContext,
  request: AccessRequest,
  identityId: IdentityId,
): Promise<boolean> {
  const isAsked =
    request.asked.some((approver) => approver.identityId === identityId) &&
    request.votes.every((vote) => vote.by !== identityId);
  return isAsked && !(await hasCard(context, request, identityId, "approver"));
}

async function isReviewAwaited(
  context: ServiceContext,
  request: AccessRequest,
  identityId: IdentityId,
): Promise<boolean> {
  if (request.breakGlass?.reviews.length !== 0) return false;
  const reviewers = await reviewersOf(context, request);
  return reviewers.includes(identityId) && !(await hasCard(context, request, identityId, "reviewer"));
}

/** Whether this person has a card in some chat, has one on its way, or needs none because a channel shows it. */
async function hasCard(
  { store, surfaces }: ServiceContext,
  request: AccessRequest,
  identityId: IdentityId,
  audience: Audience,
): Promise<boolean> {
  const deliveries = await store.deliveries([request.id]);
  return deliveries
    .filter(({ notice, readerId }) => notice === null && readerId === identityId)
    .filter((delivery) => delivery.audience === audience)
    .some(({ surface, state }) =>
      surface === "nowhere"
        ? state === "NOT_NEEDED"
        : surfaces.get(surface)?.keepsCards === true && state !== "FAILED" && state !== "UNREACHABLE",
    );
}
