import { eq, sql } from "drizzle-orm";
import type { Write } from "../../../service/ports/store.ts";
import type { Db } from "../tables/database.ts";
import { deliveries } from "../tables/deliveries.ts";
import { placeholdersFor, type NewRow } from "../tables/placeholders.ts";

type DeliveryWrite = Extract<Write, { kind: "deliveryAdded" | "deliveryUpdated" }>;

export function prepareDeliveryWrites(db: Db) {
  const row = placeholdersFor(deliveries);
  const insert = db.insert(deliveries).values(row).onConflictDoNothing().prepare();
  const update = db
    .update(deliveries)
    .set({ state: row.state, ref: row.ref, fault: row.fault, at: row.at })
    .where(eq(deliveries.id, sql.placeholder("id")))
    .prepare();
  return {
    write: (write: DeliveryWrite): void => {
      if (write.kind === "deliveryAdded") {
        insert.run({ ...write.value } satisfies NewRow<typeof deliveries>);
      } else {
        const { id, state, ref, fault, at } = write;
        update.run({ id, state, ref, fault, at });
      }
    },
  };
}
