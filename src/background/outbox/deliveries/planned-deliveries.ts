import type { Addressee } from "../../../core/effects/effects.ts";
import type { RequestId } from "../../../core/values/ids.ts";
import type { Audience } from "../../../core/effects/notices.ts";
import { deliveryId, isGivenUp } from "../../../service/views/delivery-status.ts";
import type { ServiceContext } from "../../../service/decisions/load-facts.ts";
import type { Delivery, Write } from "../../../service/ports/store.ts";
import { markDelivery } from "./delivery-records.ts";

type Reader = Pick<Delivery, "surface" | "address" | "audience" | "readerId">;

/** The deliveries of one request's card as they will be after an announcement. */
export interface PlannedDeliveries {
  /** Adds the delivery to this reader unless it exists. @returns it as it was before; undefined: it is new. */
  ensure(reader: Reader, state: Delivery["state"]): Delivery | undefined;
  /** The same for somebody who is asked, which retries a delivery that failed before. */
  ensureAsked(reader: Reader): Delivery | undefined;
  /** Whether this reader has been notified of the request there. */
  isKnown(to: Addressee, audience: Audience): boolean;
  readonly all: () => readonly Delivery[];
  readonly writes: () => readonly Write[];
}

export function createPlannedDeliveries(
  context: ServiceContext,
  requestId: RequestId,
  known: readonly Delivery[],
): PlannedDeliveries {
  const at = context.runtime.now();
  const added = new Map<string, Delivery>();
  const retried = new Map<string, Delivery>();
  const ensure: PlannedDeliveries["ensure"] = (reader, state) => {
    const id = deliveryId({ ...reader, requestId });
    const before = known.find((delivery) => delivery.id === id);
    if (before === undefined)
      added.set(id, { ...reader, id, requestId, notice: null, state, ref: null, fault: null, at });
    return before;
  };
  return {
    ensure,
    ensureAsked(reader) {
      const before = ensure(reader, "QUEUED");
      if (before !== undefined && isGivenUp(before)) retried.set(before.id, { ...before, state: "QUEUED" });
      return before;
    },
    isKnown: ({ surface, address }, audience) =>
      known.some((delivery) => delivery.id === deliveryId({ requestId, surface, address, audience })),
    all: () => [...known.map((delivery) => retried.get(delivery.id) ?? delivery), ...added.values()],
    writes: () => [
      ...[...added.values()].map((value): Write => ({ kind: "deliveryAdded", value })),
      ...[...retried.values()].map((delivery) => markDelivery(context, delivery, "QUEUED", null)),
    ],
  };
}
