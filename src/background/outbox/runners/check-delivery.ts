import type { Effect } from "../../../core/effects/effects.ts";
import type { IdentityId } from "../../../core/values/ids.ts";
import { secondMs } from "../../../core/values/time.ts";
import { reachOf } from "../../../service/views/delivery-status.ts";
import type { ServiceContext } from "../../../service/decisions/load-facts.ts";
import type { Delivery } from "../../../service/ports/store.ts";
import { newEffect } from "../../../service/decisions/build-step.ts";
import type { Runner } from "../runner.ts";
import { markDelivery } from "../deliveries/delivery-records.ts";

/** How long after asking the deliveries are checked; most have succeeded or failed by then. */
export const deliveryCheckMs = 15 * secondMs;

/**
 * Checks whether the approvers were reached. Some seconds after asking, the requester's card shows how many were; an
 * approver who could be reached nowhere is announced.
 */
export function createDeliveryCheck(context: ServiceContext): Runner<"check_delivery"> {
  const { store, runtime, surfaces } = context;
  return {
    async run({ requestId, lost }) {
      const deliveries = await store.deliveries([requestId]);
      const now = runtime.now();
      const failed = lost === null ? [] : failedDeliveriesTo(deliveries, lost);
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
        // Marked as unreachable, so that this is announced once.
        writes: failed.map((delivery) =>
          markDelivery(context, delivery, "UNREACHABLE", null, delivery.fault),
        ),
        effects: effects.map((effect) => newEffect(effect, { now, runtime })),
      };
    },
  };
}

/** The failed deliveries to this approver, provided that no other delivery succeeded or still may. */
function failedDeliveriesTo(deliveries: readonly Delivery[], reader: IdentityId): readonly Delivery[] {
  if (reachOf(deliveries)?.unreached.includes(reader) !== true) return [];
  return deliveries.filter(
    ({ notice, readerId, audience, state }) =>
      notice === null && readerId === reader && audience === "approver" && state === "FAILED",
  );
}
