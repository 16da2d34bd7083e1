import { and, eq, sql } from "drizzle-orm";
import type { Reads } from "../../../service/ports/store.ts";
import type { Db } from "../tables/database.ts";
import { surfaceAddresses } from "../tables/surface-addresses.ts";

export function createAddressReads(db: Db): Pick<Reads, "address"> {
  const statement = prepareAddressRead(db);
  return { address: async (surface, key) => statement.get({ surface, key })?.value };
}

/** Also for the test of its query plan. */
export function prepareAddressRead(db: Db) {
  const { surface, key, value } = surfaceAddresses;
  return db
    .select({ value })
    .from(surfaceAddresses)
    .where(and(eq(surface, sql.placeholder("surface")), eq(key, sql.placeholder("key"))))
    .prepare();
}
