import type { Effect } from "../../../core/effects/effects.ts";
import type { IdentityId } from "../../../core/values/ids.ts";
import { secondMs } from "../../../core/values/time.ts";
import { reachOf } from "../../../service/views/delivery-status.ts";
import type { ServiceContext } from "../../../service/decisions/load-facts.ts";
import type { Delivery } from "../../../service/ports/store.ts";
import { newEffect } from "../../../service/decisions/build-step.ts";
import type { Runner } from "../runner.ts";
import { markDelivery } from "./update-card.ts";

/** By this time after people were asked, it is usually known who could be reached. */
export const deliveryCheckMs = 15 * secondMs;

/**
 * Tells the requester how many of the people they wait for have been told: their card says so some seconds after asking,
 * and an approver who turns out to be reachable nowhere is news.
 */
export function createDeliveryCheck(context: ServiceContext): Runner<"check_delivery"> {
  const { store, runtime, surfaces } = context;
  return {
    async run({ requestId, lost }) {
      const deliveries = await store.deliveries([requestId]);
      const now = runtime.now();
      const failed = lost === null ? [] : lostOf(deliveries, lost);
      const effects: readonly Effect[] =
        lost !== null && failed.length > 0
          ? [{ kind: "announce", requestId, notices: [{ notice: "unreached", people: [lost] }] }]
          : deliveries.flatMap(({ notice, surface, address, audience, readerId }): readonly Effect[] =>
              notice === null &&
              audience === "requester" &&
              surface !== "nowhere" &&
              surfaces.get(surface)?.keepsCards === true
                ? [{ kind: "update_card", requestId, surface, address, audience, readerId }]
                : [],
            );
      return {
        // Said once: from now on they count as out of reach.
        writes: failed.map((delivery) =>
          markDelivery(context, delivery, "UNREACHABLE", null, delivery.fault),
        ),
        effects: effects.map((effect) => newEffect(effect, { now, runtime })),
      };
    },
  };
}

/** The copies that were given up of somebody who now has none that was delivered or still may be. */
function lostOf(deliveries: readonly Delivery[], reader: IdentityId): readonly Delivery[] {
  if (reachOf(deliveries)?.unreached.includes(reader) !== true) return [];
  return deliveries.filter(
    (one) =>
      one.notice === null && one.readerId === reader && one.audience === "approver" && one.state === "FAILED",
  );
}
