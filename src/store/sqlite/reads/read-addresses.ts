import type { Reads } from "../../../service/ports/store.ts";
import { and, eq } from "drizzle-orm";
import { placeholder, type Tables } from "../tables/placeholders.ts";
import { surfaceAddresses } from "../tables/schema.ts";
import { translateErrors } from "../tables/sqlite-faults.ts";

/** What surfaces have learned about where people and channels are reached. */
export function createAddressReads(tables: Tables): Pick<Reads, "address"> {
  const statement = prepareAddressRead(tables);
  return {
    address: async (surface, key) => translateErrors(() => statement.get({ surface, key })?.value),
  };
}

export function prepareAddressRead(tables: Tables) {
  const { value } = surfaceAddresses;
  return tables.select({ value }).from(surfaceAddresses).where(addressKey()).prepare();
}

/** The row of one surface and key. */
export function addressKey() {
  const { surface, key } = surfaceAddresses;
  return and(eq(surface, placeholder("surface", surface)), eq(key, placeholder("key", key)));
}
