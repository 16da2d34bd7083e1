import type { Effect } from "../../../core/effects/effects.ts";
import { newEffect } from "../../../service/decisions/build-step.ts";
import type { ServiceContext } from "../../../service/decisions/load-facts.ts";
import type { CardService } from "../../../service/requests/card-source.ts";
import type { Note } from "../../../service/messaging/messenger.ts";
import type { DeliverySubject } from "../../../service/ports/store.ts";
import { linkSubject } from "../../../service/views/delivery-status.ts";
import { markDelivery, messengerFor, noticeRetryMaxMs } from "../deliveries/delivery-records.ts";
import { hideUnlinkedActions } from "../deliveries/hide-unlinked-actions.ts";
import { isStillRelevant } from "../deliveries/note-relevance.ts";
import { postponeUpdate } from "../deliveries/postpone-update.ts";
import type { Runner } from "../runner.ts";

type UpdateNote = Extract<Effect, { kind: "update_note" }>;

/** Keeps a note with buttons up to date, because its action may have been taken elsewhere, until it has no buttons. */
export function createNoteUpdates(
  context: ServiceContext,
  cards: Pick<CardService, "cardFor">,
): Runner<"update_note"> {
  return {
    async run(effect, signal) {
      const deliveries = await context.store.deliveries([subjectOf(effect)]);
      const delivery = deliveries.find(({ id }) => id === effect.deliveryId);
      // A note that is not posted yet will show the state of the moment when it is.
      if (delivery === undefined || delivery.ref === null || delivery.state !== "SENT") return undefined;
      let hasButtons: boolean;
      try {
        hasButtons = await rewriteNote(context, cards, effect, delivery.ref, signal);
      } catch (fault) {
        return postponeUpdate(context, effect, fault);
      }
      return hasButtons
        ? undefined
        : { writes: [markDelivery(context, delivery, "NOT_NEEDED", delivery.ref)] };
    },
    retryLimit: {
      afterMs: noticeRetryMaxMs,
      // Nothing to record: the card of the same request is updated too, and records its own failure.
      onExhausted: async () => undefined,
    },
  };
}

function subjectOf({ about }: UpdateNote): DeliverySubject {
  return about.topic === "linked" ? linkSubject(about.account) : about.requestId;
}

/** @returns whether the note still has buttons. */
async function rewriteNote(
  context: ServiceContext,
  cards: Pick<CardService, "cardFor">,
  effect: UpdateNote,
  ref: string,
  signal: AbortSignal,
): Promise<boolean> {
  const { about, readerId } = effect;
  const messenger = messengerFor(context, effect);
  if (about.topic === "linked") {
    const found = await context.store.identityByLink(about.account);
    if (found === undefined) return true;
    const { id, name } = found.value;
    const note: Note = { about: "linked", account: about.account, identity: { id, name } };
    return (await messenger.rewriteNote(ref, note, signal)) === "open";
  }
  const found = await cards.cardFor(about.requestId, about.audience, readerId);
  if (found === undefined) return false;
  const card = await hideUnlinkedActions(context, effect, found);
  if (about.topic === "answer") {
    const result = await messenger.rewrite(ref, card, signal, true);
    return result !== "gone" && card.actions.length > 0;
  }
  const { notice } = about;
  const note: Note = { about: "request", notice, card, isOver: !isStillRelevant(notice, card) };
  return (await messenger.rewriteNote(ref, note, signal)) === "open";
}

/** Updates every message that offers to link one of these accounts: it now says that the account is linked. */
export function createLinkNoteUpdates({ store, runtime }: ServiceContext): Runner<"links_made"> {
  return {
    async run({ accounts }) {
      const bySubject = new Map(accounts.map((account) => [linkSubject(account), account]));
      const deliveries = await store.deliveries([...bySubject.keys()]);
      const effects = deliveries.flatMap((delivery): readonly Effect[] => {
        const { id, requestId, surface, address, readerId, state } = delivery;
        const account = bySubject.get(requestId);
        if (account === undefined || surface === "nowhere" || (state !== "QUEUED" && state !== "SENT")) {
          return [];
        }
        const about = { topic: "linked", account } as const;
        return [{ kind: "update_note", deliveryId: id, about, surface, address, readerId }];
      });
      const now = runtime.now();
      return { effects: effects.map((effect) => newEffect(effect, { now, runtime })) };
    },
  };
}
