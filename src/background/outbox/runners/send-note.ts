import { systemActor } from "../../../core/access/access-case.ts";
import type { Addressee, Effect, LinkRequest, NoteSubject } from "../../../core/effects/effects.ts";
import { formatInstant } from "../../../core/values/time.ts";
import type { CardService } from "../../../service/requests/card-source.ts";
import type { ServiceContext } from "../../../service/decisions/load-facts.ts";
import type { Messenger, Note } from "../../../service/messaging/messenger.ts";
import type { Delivery } from "../../../service/ports/store.ts";
import {
  findCardDelivery,
  markDelivery,
  messengerFor,
  noticeRetryMaxMs,
} from "../deliveries/delivery-records.ts";
import { recordFailedDelivery } from "../deliveries/failed-deliveries.ts";
import { isStillRelevant } from "../deliveries/note-relevance.ts";
import type { EffectOutcome, Runner } from "../runner.ts";

type SendNote = Extract<Effect, { kind: "send_note" }>;

/** Sends one note once: below the card in chat, or as an e-mail. */
export function createNoteSender(
  context: ServiceContext,
  cards: Pick<CardService, "cardFor">,
): Runner<"send_note"> {
  return {
    async run(effect, signal) {
      const messenger = messengerFor(context, effect);
      const prepared = await prepare(context, cards, effect, effect.about);
      if (prepared === undefined) return notNeeded(context, effect, messenger);
      const { note, delivery } = prepared;
      // A channel that did not receive the card receives no notes about the request either.
      if (effect.readerId === null && delivery?.state === "FAILED") return recordNote(context, effect, null);
      const ref = await messenger.direct(effect.address, note, delivery?.ref ?? null, signal);
      // By e-mail there is no card beside the note, so sending the note completes the delivery.
      return delivery === undefined || messenger.keepsCards
        ? recordNote(context, effect, ref)
        : { writes: [markDelivery(context, delivery, "SENT", null)] };
    },
    retryLimit: {
      afterMs: noticeRetryMaxMs,
      async onExhausted(effect, code) {
        const { about, surface, readerId } = effect;
        if (about.topic === "request") {
          const { requestId, audience, notice } = about;
          const failed = { requestId, audience, what: notice, code };
          const outcome = await recordFailedDelivery(context, effect, failed);
          const writes = recordNote(context, effect, null)?.writes ?? [];
          return { ...outcome, writes: [...(outcome.writes ?? []), ...writes] };
        }
        const at = context.runtime.now();
        const data = { surface, what: about.topic, code };
        const identity = readerId === null ? {} : { identity: readerId };
        return { audit: [{ at, action: "notification.failed", actor: systemActor, ...identity, data }] };
      },
    },
  };
}

/** The note is no longer relevant. An e-mail that was to carry the request is marked as not needed. */
async function notNeeded(
  context: ServiceContext,
  effect: SendNote,
  { keepsCards }: Messenger,
): Promise<EffectOutcome | undefined> {
  const { about } = effect;
  if (keepsCards || about.topic !== "request") return recordNote(context, effect, null);
  const delivery = await findCardDelivery(context, effect, about.requestId, about.audience);
  return delivery?.state === "QUEUED"
    ? { writes: [markDelivery(context, delivery, "NOT_NEEDED", null)] }
    : undefined;
}

/** Records where the note was posted, so that its buttons are updated. Null: it is never updated. */
function recordNote(
  { runtime }: ServiceContext,
  { deliveryId }: SendNote,
  ref: string | null,
): EffectOutcome | undefined {
  if (deliveryId === undefined) return undefined;
  const state = ref === null ? "NOT_NEEDED" : "SENT";
  const at = runtime.now();
  return { writes: [{ kind: "deliveryUpdated", id: deliveryId, state, ref, fault: null, at }] };
}

interface Prepared {
  readonly note: Note;
  readonly delivery: Delivery | undefined;
}

/** Undefined: the note is no longer relevant. */
async function prepare(
  context: ServiceContext,
  cards: Pick<CardService, "cardFor">,
  to: Addressee,
  about: NoteSubject,
): Promise<Prepared | undefined> {
  if (about.topic === "key") {
    const found = await context.store.key(about.keyId);
    if (found === undefined || found.value.deletedAt !== null) return undefined;
    const { id, mintedBy, roles, expiresAt, last4 } = found.value;
    const note: Note = {
      about: "key",
      notice: about.notice ?? "key_made",
      last4,
      keyId: id,
      mintedBy: (await context.store.identity(mintedBy))?.value.name ?? mintedBy,
      roles,
      expiresAt: expiresAt === null ? null : formatInstant(expiresAt),
    };
    return { note, delivery: undefined };
  }
  if (about.topic === "link") return linkNote(context, about);
  if (about.topic === "account_linked") {
    const by = about.byId === null ? undefined : await context.store.identity(about.byId);
    const byName = about.byId === null ? null : (by?.value.name ?? about.byId);
    return { note: { about: "account_linked", account: about.account, byName }, delivery: undefined };
  }
  if (about.topic === "alert") return { note: { about: "alert", alert: about.alert }, delivery: undefined };
  const { requestId, notice, audience } = about;
  const card = await cards.cardFor(requestId, audience, to.readerId);
  if (card === undefined || !isStillRelevant(notice, card)) return undefined;
  const delivery = await findCardDelivery(context, to, requestId, audience);
  return { note: { about: "request", notice, card }, delivery };
}

/** Undefined: the account was linked in the meantime. */
async function linkNote(
  { store }: ServiceContext,
  { account, displayName, email, candidateId }: LinkRequest,
): Promise<Prepared | undefined> {
  if ((await store.identityByLink(account)) !== undefined) return undefined;
  const found = candidateId === null ? undefined : await store.identity(candidateId);
  const candidate = found === undefined ? null : { id: found.value.id, name: found.value.name };
  return { note: { about: "link", account, displayName, email, candidate }, delivery: undefined };
}
