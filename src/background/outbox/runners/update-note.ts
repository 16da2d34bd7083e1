import { minuteMs, plus } from "../../../core/values/time.ts";
import type { Effect } from "../../../core/effects/effects.ts";
import type { CardService } from "../../../service/messaging/card-source.ts";
import { linkSubject } from "../../../service/views/delivery-status.ts";
import type { ServiceContext } from "../../../service/decisions/load-facts.ts";
import { DeliveryFault, type Messenger, type Note } from "../../../service/messaging/messenger.ts";
import type { Delivery, DeliverySubject } from "../../../service/ports/store.ts";
import { newEffect } from "../../../service/decisions/build-step.ts";
import { isStillRelevant } from "./note-relevance.ts";
import { hideUnlinkedActions } from "./hide-unlinked-actions.ts";
import type { EffectOutcome, Runner } from "../runner.ts";
import { messengerFor, noticeRetryMaxMs, markDelivery } from "./update-card.ts";

type UpdateNote = Extract<Effect, { kind: "update_note" }>;

/** A platform that says when to come back is believed up to this. */
const postponedMaxMs = 10 * minuteMs;

/**
 * Keeps a note with buttons true, as copies of the card are: what it asks for may have been done elsewhere. Once it
 * has no buttons any more it stays as it is.
 */
export function createNoteUpdates(
  context: ServiceContext,
  cards: Pick<CardService, "cardFor">,
): Runner<"update_note"> {
  return {
    async run(effect, signal) {
      const deliveries = await context.store.deliveries([subjectOf(effect)]);
      const delivery = deliveries.find((one) => one.id === effect.deliveryId);
      // What has not been posted yet says how things stand when it is.
      if (delivery === undefined || delivery.ref === null || delivery.state !== "SENT") return undefined;
      try {
        const isOpen = await rewrite(context, cards, effect, {
          messenger: messengerFor(context, effect),
          ref: delivery.ref,
          signal,
        });
        return isOpen ? undefined : closed(context, delivery);
      } catch (fault) {
        if (!(fault instanceof DeliveryFault) || fault.retryAfterMs === undefined) throw fault;
        return postponed(context, effect, fault.retryAfterMs);
      }
    },
    retryLimit: {
      afterMs: noticeRetryMaxMs,
      // The card of the same request is kept true besides, and says that it could not be.
      onExhausted: async () => undefined,
    },
  };
}

function subjectOf({ about }: UpdateNote): DeliverySubject {
  return about.topic === "linked" ? linkSubject(about.account) : about.requestId;
}

interface Message {
  readonly messenger: Messenger;
  readonly ref: string;
  readonly signal: AbortSignal;
}

/** Whether there is still something to press on it. */
async function rewrite(
  context: ServiceContext,
  cards: Pick<CardService, "cardFor">,
  effect: UpdateNote,
  { messenger, ref, signal }: Message,
): Promise<boolean> {
  const { about, readerId } = effect;
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

function closed(context: ServiceContext, delivery: Delivery): EffectOutcome {
  return { writes: [markDelivery(context, delivery, "NOT_NEEDED", delivery.ref)] };
}

/** Done later and beside everything else that its reader is told. */
function postponed({ runtime }: ServiceContext, effect: UpdateNote, retryAfterMs: number): EffectOutcome {
  const now = runtime.now();
  const again = newEffect({ ...effect, isPostponed: true }, { now, runtime });
  return { effects: [{ ...again, dueAt: plus(now, Math.min(retryAfterMs, postponedMaxMs)) }] };
}

/** Every message that offers to link one of the accounts says from now on that it is linked. */
export function createLinkNoteUpdates({ store, runtime }: ServiceContext): Runner<"links_made"> {
  return {
    async run({ accounts }) {
      const bySubject = new Map(accounts.map((account) => [linkSubject(account), account]));
      const deliveries = await store.deliveries([...bySubject.keys()]);
      const now = runtime.now();
      const effects = deliveries.flatMap(
        ({ id, requestId, surface, address, readerId, state }): readonly Effect[] => {
          const account = bySubject.get(requestId);
          return account !== undefined && surface !== "nowhere" && (state === "QUEUED" || state === "SENT")
            ? [
                {
                  kind: "update_note",
                  deliveryId: id,
                  about: { topic: "linked", account },
                  surface,
                  address,
                  readerId,
                },
              ]
            : [];
        },
      );
      return { effects: effects.map((effect) => newEffect(effect, { now, runtime })) };
    },
  };
}
