import { assertPresent } from "../../../core/values/assert.ts";
import type { Addressee, Effect } from "../../../core/effects/effects.ts";
import type { RequestId } from "../../../core/values/ids.ts";
import type { Audience, NoticeKind } from "../../../core/effects/notices.ts";
import { dayMs, minuteMs, plus } from "../../../core/values/time.ts";
import type { Card } from "../../../service/views/card.ts";
import type { CardService } from "../../../service/messaging/card-source.ts";
import { coveredApprovers } from "../../../service/messaging/channel-reach.ts";
import { deliveryId } from "../../../service/views/delivery-status.ts";
import type { ServiceContext } from "../../../service/decisions/load-facts.ts";
import { DeliveryFault, type Messenger, type RewriteResult } from "../../../service/messaging/messenger.ts";
import type { Delivery, Write } from "../../../service/ports/store.ts";
import { newEffect } from "../../../service/decisions/build-step.ts";
import { systemActor } from "../../../core/access/access-case.ts";
import { hideUnlinkedActions } from "./hide-unlinked-actions.ts";
import type { EffectOutcome, Runner } from "../runner.ts";
import { createShownCards } from "./shown-cards.ts";

/** How long telling is tried before it is given up, and said so. */
export const noticeRetryMaxMs = dayMs;

/** Who says "come back later" is believed up to this. */
const postponedMaxMs = 10 * minuteMs;

/** Keeps one copy of a card true: posts it where it is not yet, rewrites it where it is. */
export function createCardUpdater(
  context: ServiceContext,
  cards: Pick<CardService, "cardFor">,
): Runner<"update_card"> {
  const shown = createShownCards();
  return {
    async run(effect, signal) {
      const { requestId, audience, readerId, address } = effect;
      const messenger = messengerFor(context, effect);
      const delivery = await deliveryOf(context, effect, requestId, audience);
      const found = await cards.cardFor(requestId, audience, readerId);
      if (delivery === undefined || found === undefined) return undefined;
      const card = await hideUnlinkedActions(context, effect, found);
      if (delivery.ref !== null) {
        if (shown.isShown(delivery, card)) return undefined;
        const result = await rewritten(
          messenger,
          delivery.ref,
          card,
          signal,
          shown.isMisleading(delivery, card),
        );
        if (typeof result === "object") return postponed(context, effect, result);
        if (result === "gone") return replaced(context, effect, { delivery, card, signal });
        shown.keep(delivery, delivery.ref, card);
        return delivery.state === "SENT"
          ? undefined
          : { writes: [markDelivery(context, delivery, "SENT", delivery.ref)] };
      }
      // Whoever has not been asked before it was decided is not asked afterwards, nor who may decide or review it no more.
      const isDecided = audience === "approver" && card.request.status !== "PENDING";
      const isTooLate = isDecided || card.noLongerAskedAs !== null;
      if (isTooLate) return { writes: [markDelivery(context, delivery, "NOT_NEEDED", null)] };
      const ref = await messenger.post(address, card, signal);
      shown.keep(delivery, ref, card);
      return { writes: [markDelivery(context, delivery, "SENT", ref)] };
    },
    retryLimit: {
      afterMs: noticeRetryMaxMs,
      onExhausted: async (effect, code) =>
        recordFailedDelivery(
          context,
          effect,
          { requestId: effect.requestId, audience: effect.audience, what: "card" },
          code,
        ),
    },
  };
}

/** A platform that says when to come back is told then; everything else that fails is thrown. */
async function rewritten(
  messenger: Messenger,
  ref: string,
  card: Card,
  signal: AbortSignal,
  isMisleading: boolean,
): Promise<RewriteResult | { readonly retryAfterMs: number }> {
  try {
    return await messenger.rewrite(ref, card, signal, isMisleading);
  } catch (fault) {
    if (!(fault instanceof DeliveryFault) || fault.retryAfterMs === undefined) throw fault;
    return { retryAfterMs: fault.retryAfterMs };
  }
}

/** Done later and beside everything else that its reader is told; what it then writes is the state of then. */
function postponed(
  { runtime }: ServiceContext,
  effect: Extract<Effect, { kind: "update_card" }>,
  { retryAfterMs }: { readonly retryAfterMs: number },
): EffectOutcome {
  const now = runtime.now();
  const again = newEffect({ ...effect, isPostponed: true }, { now, runtime });
  return { effects: [{ ...again, dueAt: plus(now, Math.min(retryAfterMs, postponedMaxMs)) }] };
}

/** The copy can no longer be changed: a new message says what it should. Where none can be posted, it is lost. */
async function replaced(
  context: ServiceContext,
  effect: Extract<Effect, { kind: "update_card" }>,
  {
    delivery,
    card,
    signal,
  }: { readonly delivery: Delivery; readonly card: Card; readonly signal: AbortSignal },
): Promise<EffectOutcome> {
  try {
    const ref = await messengerFor(context, effect).post(effect.address, card, signal);
    return { writes: [markDelivery(context, delivery, "SENT", ref)] };
  } catch (fault) {
    if (!(fault instanceof DeliveryFault) || fault.retryable) throw fault;
    const { requestId, audience } = effect;
    const about: Lost = { requestId, audience, what: "card" };
    if (effect.readerId !== null) return lost(context, effect, about, fault.code, delivery);
    const deliveries = await context.store.deliveries([requestId]);
    return channelLost(context, effect, about, fault.code, deliveries, { ...delivery, ref: null });
  }
}

export function messengerFor({ surfaces }: ServiceContext, { surface }: Addressee): Messenger {
  return assertPresent(surfaces.get(surface), `a messenger for ${surface}`);
}

export async function deliveryOf(
  { store }: ServiceContext,
  { surface, address }: Addressee,
  requestId: RequestId,
  audience: Audience,
): Promise<Delivery | undefined> {
  const id = deliveryId({ requestId, surface, address, audience });
  return (await store.deliveries([requestId])).find((one) => one.id === id);
}

export function markDelivery(
  { runtime }: Pick<ServiceContext, "runtime">,
  { id }: Delivery,
  state: Delivery["state"],
  ref: string | null,
  fault: string | null = null,
): Write {
  return { kind: "deliveryUpdated", id, state, ref, fault, at: runtime.now() };
}

interface Lost {
  readonly requestId: RequestId;
  readonly audience: Audience;
  readonly what: NoticeKind | "card";
}

/** Puts on record that somebody was not told. */
export async function recordFailedDelivery(
  context: ServiceContext,
  to: Addressee,
  about: Lost,
  code: string,
): Promise<EffectOutcome> {
  const deliveries = await context.store.deliveries([about.requestId]);
  const id = deliveryId({ requestId: about.requestId, ...to, audience: about.audience });
  const delivery = deliveries.find((one) => one.id === id);
  if (to.readerId === null && delivery !== undefined)
    return channelLost(context, to, about, code, deliveries, delivery);
  // A copy that was posted once is tried again at the next change.
  return lost(context, to, about, code, delivery?.ref === null ? delivery : undefined);
}

/**
 * A channel that could not be told: said once for each request and cause, to the requester, to administrators and to the
 * approvers for whom the channel stood in.
 */
function channelLost(
  { runtime }: ServiceContext,
  to: Addressee,
  about: Lost,
  code: string,
  deliveries: readonly Delivery[],
  delivery: Delivery,
): EffectOutcome {
  const state = delivery.ref === null ? "FAILED" : delivery.state;
  const writes = [markDelivery({ runtime }, delivery, state, delivery.ref, code)];
  if (delivery.fault === code) return delivery.state === state ? {} : { writes };
  const now = runtime.now();
  const people = coveredApprovers(deliveries);
  const announce: Effect = {
    kind: "announce",
    requestId: about.requestId,
    notices: [{ notice: "channel_unreached", people }],
  };
  return {
    ...lost({ runtime }, to, about, code, undefined),
    writes,
    effects: [newEffect(announce, { now, runtime })],
  };
}

/** `copy`: what is not tried again from now on. */
function lost(
  { runtime }: Pick<ServiceContext, "runtime">,
  to: Addressee,
  { requestId, audience, what }: Lost,
  code: string,
  delivery: Delivery | undefined,
): EffectOutcome {
  const now = runtime.now();
  const { readerId } = to;
  const deliveryCheck: Effect = { kind: "check_delivery", requestId, lost: readerId };
  return {
    writes: delivery === undefined ? [] : [markDelivery({ runtime }, delivery, "FAILED", null, code)],
    // Looked at once this is written: another delivery to the same person may fail at the same moment.
    effects:
      delivery !== undefined && audience === "approver" && readerId !== null
        ? [newEffect(deliveryCheck, { now, runtime })]
        : [],
    audit: [
      {
        at: now,
        action: "notification.failed",
        actor: systemActor,
        request: requestId,
        ...(readerId !== null && { identity: readerId }),
        data: { surface: to.surface, what, code },
      },
    ],
  };
}
