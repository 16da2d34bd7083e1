import { present } from "../core/assert.ts";
import type { Addressee, Effect } from "../core/effects.ts";
import type { RequestId } from "../core/ids.ts";
import type { Audience, NoticeKind } from "../core/notices.ts";
import { dayMs } from "../core/time.ts";
import type { CardService } from "../service/chat-people.ts";
import { copyId } from "../service/copies.ts";
import type { ServiceContext } from "../service/loading.ts";
import type { Messenger } from "../service/messenger.ts";
import type { Copy, Write } from "../service/ports.ts";
import { newEffect } from "../service/step-of.ts";
import { systemActor } from "../core/case.ts";
import type { Outcome, Runner } from "./runners.ts";

/** How long telling is tried before it is given up, and said so. */
export const tellingMs = dayMs;

/** Keeps one copy of a card true: posts it where it is not yet, rewrites it where it is. */
export function createShowing(context: ServiceContext, cards: Pick<CardService, "cardFor">): Runner<"show"> {
  return {
    async run(effect, signal) {
      const { requestId, audience, readerId, address } = effect;
      const messenger = messengerFor(context, effect);
      const copy = await copyOf(context, effect, requestId, audience);
      const card = await cards.cardFor(requestId, audience, readerId);
      if (copy === undefined || card === undefined) return undefined;
      if (copy.ref !== null) {
        await messenger.rewrite(copy.ref, card, signal);
        return copy.state === "SENT" ? undefined : { writes: [told(context, copy, "SENT", copy.ref)] };
      }
      // Whoever has not been asked before it was decided is not asked afterwards.
      const isTooLate = audience === "approver" && card.request.status !== "PENDING";
      if (isTooLate) return { writes: [told(context, copy, "NOT_NEEDED", null)] };
      const ref = await messenger.post(address, card, signal);
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
  { surroundings }: ServiceContext,
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
  { requestId, audience, what }: Lost,
  code: string,
): Promise<Outcome> {
  const { store, surroundings } = context;
  const now = surroundings.now();
  const copies = await store.copies([requestId]);
  const id = copyId({ requestId, ...to, audience });
  const copy = copies.find((one) => one.id === id);
  const isLost = copy !== undefined && copy.ref === null;
  const { readerId } = to;
  const lookAgain: Effect = { kind: "look_again", requestId, lost: readerId };
  return {
    writes: isLost ? [told(context, copy, "FAILED", null, code)] : [],
    // Looked at once this is written: another delivery to the same person may fail at the same moment.
    effects:
      isLost && audience === "approver" && readerId !== null
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
