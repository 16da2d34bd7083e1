import { present } from "../../../core/values/assert.ts";
import type { Addressee, Effect } from "../../../core/effects/effects.ts";
import type { RequestId } from "../../../core/values/ids.ts";
import type { Audience, NoticeKind } from "../../../core/effects/notices.ts";
import { dayMs, minuteMs, plus } from "../../../core/values/time.ts";
import type { Card } from "../../../service/views/card.ts";
import type { CardService } from "../../../service/messaging/card-source.ts";
import { coveredApprovers } from "../../../service/messaging/channel-reach.ts";
import { copyId } from "../../../service/views/delivery-status.ts";
import type { ServiceContext } from "../../../service/decisions/load-facts.ts";
import { DeliveryFault, type Messenger, type RewriteResult } from "../../../service/messaging/messenger.ts";
import type { Copy, Write } from "../../../service/ports/store.ts";
import { newEffect } from "../../../service/decisions/build-step.ts";
import { systemActor } from "../../../core/access/access-case.ts";
import { asLinked } from "./hide-unlinked-actions.ts";
import type { Outcome, Runner } from "../runner.ts";
import { createShownCards } from "./shown-cards.ts";

/** How long telling is tried before it is given up, and said so. */
export const tellingMs = dayMs;

/** Who says "come back later" is believed up to this. */
const postponedMaxMs = 10 * minuteMs;

/** Keeps one copy of a card true: posts it where it is not yet, rewrites it where it is. */
export function createShowing(context: ServiceContext, cards: Pick<CardService, "cardFor">): Runner<"show"> {
  const shown = createShownCards();
  return {
    async run(effect, signal) {
      const { requestId, audience, readerId, address } = effect;
      const messenger = messengerFor(context, effect);
      const copy = await copyOf(context, effect, requestId, audience);
      const found = await cards.cardFor(requestId, audience, readerId);
      if (copy === undefined || found === undefined) return undefined;
      const card = await asLinked(context, effect, found);
      if (copy.ref !== null) {
        if (shown.isShown(copy, card)) return undefined;
        const result = await rewritten(messenger, copy.ref, card, signal, shown.isMisleading(copy, card));
        if (typeof result === "object") return postponed(context, effect, result);
        if (result === "gone") return replaced(context, effect, { copy, card, signal });
        shown.keep(copy, copy.ref, card);
        return copy.state === "SENT" ? undefined : { writes: [told(context, copy, "SENT", copy.ref)] };
      }
      // Whoever has not been asked before it was decided is not asked afterwards, nor who may decide or review it no more.
      const isDecided = audience === "approver" && card.request.status !== "PENDING";
      const isTooLate = isDecided || card.noLongerAskedAs !== null;
      if (isTooLate) return { writes: [told(context, copy, "NOT_NEEDED", null)] };
      const ref = await messenger.post(address, card, signal);
      shown.keep(copy, ref, card);
      return { writes: [told(context, copy, "SENT", ref)] };
    },
    givesUp: {
      afterMs: tellingMs,
      givenUp: async (effect, code) =>
        givenUp(
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
  { surroundings }: ServiceContext,
  effect: Extract<Effect, { kind: "show" }>,
  { retryAfterMs }: { readonly retryAfterMs: number },
): Outcome {
  const now = surroundings.now();
  const again = newEffect({ ...effect, isPostponed: true }, { now, surroundings });
  return { effects: [{ ...again, dueAt: plus(now, Math.min(retryAfterMs, postponedMaxMs)) }] };
}

/** The copy can no longer be changed: a new message says what it should. Where none can be posted, it is lost. */
async function replaced(
  context: ServiceContext,
  effect: Extract<Effect, { kind: "show" }>,
  { copy, card, signal }: { readonly copy: Copy; readonly card: Card; readonly signal: AbortSignal },
): Promise<Outcome> {
  try {
    const ref = await messengerFor(context, effect).post(effect.address, card, signal);
    return { writes: [told(context, copy, "SENT", ref)] };
  } catch (fault) {
    if (!(fault instanceof DeliveryFault) || fault.retryable) throw fault;
    const { requestId, audience } = effect;
    const about: Lost = { requestId, audience, what: "card" };
    if (effect.readerId !== null) return lost(context, effect, about, fault.code, copy);
    const copies = await context.store.copies([requestId]);
    return channelLost(context, effect, about, fault.code, copies, { ...copy, ref: null });
  }
}

export function messengerFor({ surfaces }: ServiceContext, { surface }: Addressee): Messenger {
  return present(surfaces.get(surface), `a messenger for ${surface}`);
}

export async function copyOf(
  { store }: ServiceContext,
  { surface, address }: Addressee,
  requestId: RequestId,
  audience: Audience,
): Promise<Copy | undefined> {
  const id = copyId({ requestId, surface, address, audience });
  return (await store.copies([requestId])).find((one) => one.id === id);
}

export function told(
  { surroundings }: Pick<ServiceContext, "surroundings">,
  { id }: Copy,
  state: Copy["state"],
  ref: string | null,
  fault: string | null = null,
): Write {
  return { kind: "copyTold", id, state, ref, fault, at: surroundings.now() };
}

interface Lost {
  readonly requestId: RequestId;
  readonly audience: Audience;
  readonly what: NoticeKind | "card";
}

/** Puts on record that somebody was not told. */
export async function givenUp(
  context: ServiceContext,
  to: Addressee,
  about: Lost,
  code: string,
): Promise<Outcome> {
  const copies = await context.store.copies([about.requestId]);
  const id = copyId({ requestId: about.requestId, ...to, audience: about.audience });
  const copy = copies.find((one) => one.id === id);
  if (to.readerId === null && copy !== undefined) return channelLost(context, to, about, code, copies, copy);
  // A copy that was posted once is tried again at the next change.
  return lost(context, to, about, code, copy?.ref === null ? copy : undefined);
}

/**
 * A channel that could not be told: said once for each request and cause, to the requester, to administrators and to the
 * approvers for whom the channel stood in.
 */
function channelLost(
  { surroundings }: ServiceContext,
  to: Addressee,
  about: Lost,
  code: string,
  copies: readonly Copy[],
  copy: Copy,
): Outcome {
  const state = copy.ref === null ? "FAILED" : copy.state;
  const writes = [told({ surroundings }, copy, state, copy.ref, code)];
  if (copy.fault === code) return copy.state === state ? {} : { writes };
  const now = surroundings.now();
  const people = coveredApprovers(copies);
  const announce: Effect = {
    kind: "announce",
    requestId: about.requestId,
    news: [{ notice: "channel_unreached", people }],
  };
  return {
    ...lost({ surroundings }, to, about, code, undefined),
    writes,
    effects: [newEffect(announce, { now, surroundings })],
  };
}

/** `copy`: what is not tried again from now on. */
function lost(
  { surroundings }: Pick<ServiceContext, "surroundings">,
  to: Addressee,
  { requestId, audience, what }: Lost,
  code: string,
  copy: Copy | undefined,
): Outcome {
  const now = surroundings.now();
  const { readerId } = to;
  const lookAgain: Effect = { kind: "look_again", requestId, lost: readerId };
  return {
    writes: copy === undefined ? [] : [told({ surroundings }, copy, "FAILED", null, code)],
    // Looked at once this is written: another delivery to the same person may fail at the same moment.
    effects:
      copy !== undefined && audience === "approver" && readerId !== null
        ? [newEffect(lookAgain, { now, surroundings })]
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
