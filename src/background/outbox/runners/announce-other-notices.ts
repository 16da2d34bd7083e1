import type { Effect } from "../../../core/effects/effects.ts";
import { isActive } from "../../../core/values/identity.ts";
import { linkSubject, noteDeliveryId } from "../../../service/views/delivery-status.ts";
import type { ServiceContext } from "../../../service/decisions/load-facts.ts";
import type { Delivery } from "../../../service/ports/store.ts";
import { newEffect } from "../../../service/decisions/build-step.ts";
import type { NoticeLog } from "./announce-request.ts";
import type { Runner } from "../runner.ts";

/** Tells administrators, on every surface they have, that somebody asks to be linked. */
export function createLinkRequestAnnouncer(context: ServiceContext, log: NoticeLog): Runner<"request_link"> {
  const { store, surfaces, runtime } = context;
  return {
    async run({ to, account, displayName, email, candidateId }) {
      log.info({ notice: "link_asked", account, candidate: candidateId, people: to }, "notice");
      const people = await store.people({ ids: to, selectors: [] });
      const effects: Effect[] = [];
      const deliveries: Delivery[] = [];
      const requestId = linkSubject(account);
      const now = runtime.now();
      for (const { value: person } of people) {
        // Managers come along with those asked for.
        if (!to.includes(person.id) || !isActive(person)) continue;
        for (const { messenger, address } of await surfaces.addressesOf(person)) {
          const { surface, keepsCards } = messenger;
          const deliveryAddress = { surface, address, readerId: person.id };
          const audience = "alert";
          const id = noteDeliveryId({ ...deliveryAddress, requestId, audience }, "link", runtime.idSuffix());
          const about = { topic: "link", account, displayName, email, candidateId } as const;
          effects.push({
            kind: "send_note",
            ...deliveryAddress,
            about,
            ...(keepsCards && { deliveryId: id }),
          });
          // Recorded before it is sent, so that a link made meanwhile cannot miss it.
          const state = { state: "QUEUED", ref: null, fault: null, at: now } as const;
          if (keepsCards)
            deliveries.push({ ...deliveryAddress, id, requestId, notice: "link", audience, ...state });
        }
      }
      return {
        writes: deliveries.map((value) => ({ kind: "deliveryAdded", value })),
        effects: effects.map((effect) => newEffect(effect, { now, runtime })),
      };
    },
  };
}

/** Announces that access is nearly over, unless it has ended or its end has moved since that was planned. */
export function createEndingAnnouncer({ store, runtime }: ServiceContext): Runner<"announce_ending"> {
  return {
    async run({ requestId, grantId, expiresAt }) {
      const grant = (await store.request(requestId))?.grant?.value;
      const now = runtime.now();
      const isStillDue =
        grant?.id === grantId && grant.phase === "ACTIVE" && grant.expiresAt === expiresAt && now < expiresAt;
      if (!isStillDue) return undefined;
      const announce: Effect = {
        kind: "announce",
        requestId,
        notices: [{ notice: "ending_soon", people: [] }],
      };
      return { effects: [newEffect(announce, { now, runtime })] };
    },
  };
}
