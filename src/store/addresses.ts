import type { Reads, Write } from "../service/ports.ts";
import { and, eq } from "./drizzle.ts";
import { reading } from "./faults.ts";
import { surfaceAddresses } from "./schema.ts";
import { prepareWrite } from "./prepare-write.ts";
import { hole, type Tables } from "./tables.ts";

/** What surfaces have learned about where people and channels are reached. */
export function createAddressReads(tables: Tables): Pick<Reads, "address"> {
  const statement = prepareAddressRead(tables);
  return {
    address: async (surface, key) => reading(() => statement.get({ surface, key })?.value),
  };
}

function prepareAddressRead(tables: Tables) {
  const { value } = surfaceAddresses;
  return tables.select({ value }).from(surfaceAddresses).where(named()).prepare();
}

type AddressWrite = Extract<Write, { kind: "address" | "addressGone" }>;

export function prepareAddressWrites(tables: Tables): { readonly write: (write: AddressWrite) => undefined } {
  const value = hole("value", surfaceAddresses.value);
  const put = prepareWrite(
    tables,
    tables
      .insert(surfaceAddresses)
      .values({
        surface: hole("surface", surfaceAddresses.surface),
        key: hole("key", surfaceAddresses.key),
        value,
      })
      .onConflictDoUpdate({ target: [surfaceAddresses.surface, surfaceAddresses.key], set: { value } }),
  );
  const forget = prepareWrite(tables, tables.delete(surfaceAddresses).where(named()));
  return {
    write: ({ kind, ...row }) => {
      if (kind === "address") put.run(row);
      else forget.run(row);
      return undefined;
    },
  };
}

function named() {
  const { surface, key } = surfaceAddresses;
  return and(eq(surface, hole("surface", surface)), eq(key, hole("key", key)));
}
