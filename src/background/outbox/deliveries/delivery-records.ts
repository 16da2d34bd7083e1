import type { Addressee } from "../../../core/effects/effects.ts";
import type { Audience } from "../../../core/effects/notices.ts";
import { assertPresent } from "../../../core/values/assert.ts";
import type { RequestId } from "../../../core/values/ids.ts";
import { dayMs } from "../../../core/values/time.ts";
import type { ServiceContext } from "../../../service/decisions/load-facts.ts";
import type { Messenger } from "../../../service/messaging/messenger.ts";
import type { Delivery, Write } from "../../../service/ports/store.ts";
import { deliveryId } from "../../../service/views/delivery-status.ts";

/** How long a delivery is retried before it is recorded as failed. */
export const noticeRetryMaxMs = dayMs;

export function messengerFor({ surfaces }: ServiceContext, { surface }: Addressee): Messenger {
  return assertPresent(surfaces.get(surface), `a messenger for ${surface}`);
}

/** The delivery of the request's card to this addressee. */
export async function findCardDelivery(
  { store }: ServiceContext,
  { surface, address }: Addressee,
  requestId: RequestId,
  audience: Audience,
): Promise<Delivery | undefined> {
  const id = deliveryId({ requestId, surface, address, audience });
  return (await store.deliveries([requestId])).find((delivery) => delivery.id === id);
}

export function markDelivery(
  { runtime }: Pick<ServiceContext, "runtime">,
  { id }: Delivery,
  state: Delivery["state"],
  ref: string | null,
  fault: string | null = null,
): Write {
  return { kind: "deliveryUpdated", id, state, ref, fault, at: runtime.now() };
}
