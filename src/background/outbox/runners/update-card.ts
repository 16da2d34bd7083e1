import type { Effect } from "../../../core/effects/effects.ts";
import type { ServiceContext } from "../../../service/decisions/load-facts.ts";
import type { CardService } from "../../../service/requests/card-source.ts";
import { DeliveryFault, type RewriteResult } from "../../../service/messaging/messenger.ts";
import type { Delivery } from "../../../service/ports/store.ts";
import type { Card } from "../../../service/views/card.ts";
import {
  findCardDelivery,
  markDelivery,
  messengerFor,
  noticeRetryMaxMs,
} from "../deliveries/delivery-records.ts";
import { recordFailedDelivery, recordLostCard } from "../deliveries/failed-deliveries.ts";
import { hideUnlinkedActions } from "../deliveries/hide-unlinked-actions.ts";
import { postponeUpdate } from "../deliveries/postpone-update.ts";
import { createShownCards, type ShownCards } from "../deliveries/shown-cards.ts";
import type { EffectOutcome, Runner } from "../runner.ts";

type UpdateCard = Extract<Effect, { kind: "update_card" }>;

/** Keeps one card up to date: posts it the first time, and rewrites the message from then on. */
export function createCardUpdater(
  context: ServiceContext,
  cards: Pick<CardService, "cardFor">,
): Runner<"update_card"> {
  const shown = createShownCards();
  return {
    async run(effect, signal) {
      const { requestId, audience, readerId } = effect;
      const delivery = await findCardDelivery(context, effect, requestId, audience);
      const found = await cards.cardFor(requestId, audience, readerId);
      if (delivery === undefined || found === undefined) return undefined;
      const card = await hideUnlinkedActions(context, effect, found);
      const update: CardUpdate = { effect, delivery, card, signal };
      return delivery.ref === null
        ? postCard(context, shown, update)
        : rewriteCard(context, shown, update, delivery.ref);
    },
    retryLimit: {
      afterMs: noticeRetryMaxMs,
      onExhausted: async (effect, code) => recordFailedDelivery(context, effect, failedCard(effect, code)),
    },
  };
}

interface CardUpdate {
  readonly effect: UpdateCard;
  readonly delivery: Delivery;
  readonly card: Card;
  readonly signal: AbortSignal;
}

async function postCard(
  context: ServiceContext,
  shown: ShownCards,
  { effect, delivery, card, signal }: CardUpdate,
): Promise<EffectOutcome> {
  if (isTooLate(effect, card)) return { writes: [markDelivery(context, delivery, "NOT_NEEDED", null)] };
  const ref = await messengerFor(context, effect).post(effect.address, card, signal);
  shown.keep(delivery, ref, card);
  return { writes: [markDelivery(context, delivery, "SENT", ref)] };
}

/** The request is decided, or its reader may no longer decide or review it: do not ask them any more. */
function isTooLate({ audience }: UpdateCard, { request, noLongerAskedAs }: Card): boolean {
  return noLongerAskedAs !== null || (audience === "approver" && request.status !== "PENDING");
}

async function rewriteCard(
  context: ServiceContext,
  shown: ShownCards,
  update: CardUpdate,
  ref: string,
): Promise<EffectOutcome | undefined> {
  const { effect, delivery, card, signal } = update;
  if (shown.isShown(delivery, card)) return undefined;
  let result: RewriteResult;
  try {
    const isMisleading = shown.isMisleading(delivery, card);
    result = await messengerFor(context, effect).rewrite(ref, card, signal, isMisleading);
  } catch (fault) {
    return postponeUpdate(context, effect, fault);
  }
  if (result === "gone") return replaceCard(context, update);
  shown.keep(delivery, ref, card);
  return delivery.state === "SENT" ? undefined : { writes: [markDelivery(context, delivery, "SENT", ref)] };
}

/** Posts the card anew, because its message was deleted or can no longer be changed. */
async function replaceCard(
  context: ServiceContext,
  { effect, delivery, card, signal }: CardUpdate,
): Promise<EffectOutcome> {
  try {
    const ref = await messengerFor(context, effect).post(effect.address, card, signal);
    return { writes: [markDelivery(context, delivery, "SENT", ref)] };
  } catch (fault) {
    if (!(fault instanceof DeliveryFault) || fault.retryable) throw fault;
    return recordLostCard(context, effect, failedCard(effect, fault.code), delivery);
  }
}

function failedCard({ requestId, audience }: UpdateCard, code: string) {
  return { requestId, audience, what: "card", code } as const;
}
