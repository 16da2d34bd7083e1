import type { Write } from "../../../service/ports/store.ts";
import { addressKey } from "../reads/read-addresses.ts";
import { surfaceAddresses } from "../tables/schema.ts";
import { prepareWrite } from "../tables/prepare-write.ts";
import { placeholder, type Tables } from "../tables/placeholders.ts";

type AddressWrite = Extract<Write, { kind: "address" | "addressGone" }>;

export function prepareAddressWrites(tables: Tables): { readonly write: (write: AddressWrite) => undefined } {
  const value = placeholder("value", surfaceAddresses.value);
  const put = prepareWrite(
    tables,
    tables
      .insert(surfaceAddresses)
      .values({
        surface: placeholder("surface", surfaceAddresses.surface),
        key: placeholder("key", surfaceAddresses.key),
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
