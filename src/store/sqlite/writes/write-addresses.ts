import type { Write } from "../../../service/ports/store.ts";
import { addressKey } from "../reads/read-addresses.ts";
import { surfaceAddresses } from "../tables/schema.ts";
import { prepareWrite } from "../tables/prepare-write.ts";
import { hole, type Tables } from "../tables/placeholders.ts";

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
  const forget = prepareWrite(tables, tables.delete(surfaceAddresses).where(addressKey()));
  return {
    write: ({ kind, ...row }) => {
      if (kind === "address") put.run(row);
      else forget.run(row);
      return undefined;
    },
  };
}
