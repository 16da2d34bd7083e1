import type { Write } from "../../../service/ports/store.ts";
import { eq } from "drizzle-orm";

import { deliveries } from "../tables/schema.ts";
import { prepareWrite } from "../tables/prepare-write.ts";
import { placeholder, type Conflict, type Tables } from "../tables/placeholders.ts";

type DeliveryWrite = Extract<Write, { kind: "deliveryAdded" | "deliveryUpdated" }>;

export function prepareDeliveryWrites(tables: Tables): {
  readonly write: (write: DeliveryWrite) => Conflict | undefined;
} {
  const insert = prepareWrite(
    tables,
    tables
      .insert(deliveries)
      .values({
        id: placeholder("id", deliveries.id),
        requestId: placeholder("requestId", deliveries.requestId),
        notice: placeholder("notice", deliveries.notice),
        surface: placeholder("surface", deliveries.surface),
        address: placeholder("address", deliveries.address),
        audience: placeholder("audience", deliveries.audience),
        readerId: placeholder("readerId", deliveries.readerId),
        state: placeholder("state", deliveries.state),
        ref: placeholder("ref", deliveries.ref),
        fault: placeholder("fault", deliveries.fault),
        at: placeholder("at", deliveries.at),
      })
      .onConflictDoNothing(),
  );
  const update = prepareWrite(
    tables,
    tables
      .update(deliveries)
      .set({
        state: placeholder("state", deliveries.state),
        ref: placeholder("ref", deliveries.ref),
        fault: placeholder("fault", deliveries.fault),
        at: placeholder("at", deliveries.at),
      })
      .where(eq(deliveries.id, placeholder("id", deliveries.id))),
  );
  return {
    write: (write) => {
      if (write.kind === "deliveryAdded") insert.run({ ...write.value });
      else update.run({ id: write.id, state: write.state, ref: write.ref, fault: write.fault, at: write.at });
      return undefined;
    },
  };
}
