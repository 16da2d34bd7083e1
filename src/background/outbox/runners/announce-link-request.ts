import type { Effect } from "../../../core/effects/effects.ts";
import { isActive } from "../../../core/values/identity.ts";
import { newEffect } from "../../../service/decisions/build-step.ts";
import type { ServiceContext } from "../../../service/decisions/load-facts.ts";
import type { Delivery } from "../../../service/ports/store.ts";
import { linkSubject, noteDeliveryId } from "../../../service/views/delivery-status.ts";
import type { Runner } from "../runner.ts";
import type { NoticeLog } from "./notice-log.ts";

/** Notifies administrators, on every surface they have, that somebody asks for their account to be linked. */
export function createLinkRequestAnnouncer(context: ServiceContext, log: NoticeLog): Runner<"request_link"> {
  const { store, surfaces, runtime } = context;
  return {
    async run({ to, account, displayName, email, candidateId }) {
      log.info({ notice: "link_asked", account, candidate: candidateId, people: to }, "notice");
      const people = await store.people({ ids: to, selectors: [] });
      const requestId = linkSubject(account);
      const about = { topic: "link", account, displayName, email, candidateId } as const;
      const now = runtime.now();
      const effects: Effect[] = [];
      const deliveries: Delivery[] = [];
      for (const { value: person } of people) {
        // The store adds the managers of the people asked for.
        if (!to.includes(person.id) || !isActive(person)) continue;
        for (const { messenger, address } of await surfaces.addressesOf(person)) {
          const addressee = { surface: messenger.surface, address, readerId: person.id };
          if (!messenger.keepsCards) {
            effects.push({ kind: "send_note", ...addressee, about });
            continue;
          }
          const reader = { ...addressee, requestId, audience: "alert" } as const;
          const id = noteDeliveryId(reader, "link", runtime.idSuffix());
          effects.push({ kind: "send_note", ...addressee, about, deliveryId: id });
          // Recorded before it is sent, so that a link made meanwhile updates this note too.
          deliveries.push({
            ...reader,
            id,
            notice: "link",
            state: "QUEUED",
            ref: null,
            fault: null,
            at: now,
          });
        }
      }
      return {
        writes: deliveries.map((value) => ({ kind: "deliveryAdded", value })),
        effects: effects.map((effect) => newEffect(effect, { now, runtime })),
      };
    },
  };
}
