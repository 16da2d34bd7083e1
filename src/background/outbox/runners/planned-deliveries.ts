import type { Addressee } from "../../../core/effects/effects.ts";
import type { RequestId } from "../../../core/values/ids.ts";
import type { Audience } from "../../../core/effects/notices.ts";
import { deliveryId, isGivenUp } from "../../../service/views/delivery-status.ts";
import type { ServiceContext } from "../../../service/decisions/load-facts.ts";
import type { Delivery, Write } from "../../../service/ports/store.ts";
import { markDelivery } from "./update-card.ts";

type Reader = Pick<Delivery, "surface" | "address" | "audience" | "readerId">;

/** The copies of one request's card as they are to be after an announcement. */
export interface PlannedDeliveries {
  /** The copy of this reader there, as it was before; undefined: it is new. */
  want(reader: Reader, state: Delivery["state"]): Delivery | undefined;
  /** The same for somebody who is asked: what was given up before is tried once more. */
  ask(reader: Reader): Delivery | undefined;
  /** Whether this reader has been told of the request there. */
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
  const again = new Map<string, Delivery>();
  const want: PlannedDeliveries["want"] = (reader, state) => {
    const id = deliveryId({ ...reader, requestId });
    const before = known.find((one) => one.id === id);
    if (before === undefined)
      added.set(id, { ...reader, id, requestId, notice: null, state, ref: null, fault: null, at });
    return before;
  };
  return {
    want,
    ask(reader) {
      const before = want(reader, "QUEUED");
      if (before !== undefined && isGivenUp(before)) again.set(before.id, { ...before, state: "QUEUED" });
      return before;
    },
    isKnown: ({ surface, address }, audience) =>
      known.some((one) => one.id === deliveryId({ requestId, surface, address, audience })),
    all: () => [...known.map((one) => again.get(one.id) ?? one), ...added.values()],
    writes: () => [
      ...[...added.values()].map((value): Write => ({ kind: "deliveryAdded", value })),
      ...[...again.values()].map((delivery) => markDelivery(context, delivery, "QUEUED", null)),
    ],
  };
}
