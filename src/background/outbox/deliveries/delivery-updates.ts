import type { AccessRequest } from "../../../core/access/access-request.ts";
import type { Effect } from "../../../core/effects/effects.ts";
import type { ServiceContext } from "../../../service/decisions/load-facts.ts";
import type { Delivery, NoteTopic } from "../../../service/ports/store.ts";

/** The effect that updates a delivered message, if it can be rewritten. */
export function updatesOf(
  { surfaces }: ServiceContext,
  requestId: AccessRequest["id"],
  delivery: Delivery,
): readonly Effect[] {
  if (delivery.notice !== null) return noteUpdate(delivery, delivery.notice, requestId);
  const { surface, address, audience, readerId } = delivery;
  const isCard = surface !== "nowhere" && surfaces.get(surface)?.keepsCards === true;
  // Do not retry failed deliveries on every change. Someone who is asked again has a new delivery by then.
  return isCard && isOpen(delivery)
    ? [{ kind: "update_card", requestId, surface, address, audience, readerId }]
    : [];
}

function noteUpdate(
  delivery: Delivery,
  notice: NoteTopic,
  requestId: AccessRequest["id"],
): readonly Effect[] {
  const { id, surface, address, audience, readerId } = delivery;
  if (!isOpen(delivery) || surface === "nowhere" || notice === "link") return [];
  const about =
    notice === "answer"
      ? ({ topic: "answer", requestId, audience } as const)
      : ({ topic: "request", requestId, notice, audience } as const);
  return [{ kind: "update_note", deliveryId: id, about, surface, address, readerId }];
}

function isOpen({ state }: Delivery): boolean {
  return state === "QUEUED" || state === "SENT";
}
