import { and, eq, sql } from "drizzle-orm";
import type { Write } from "../../../service/ports/store.ts";
import type { Db } from "../tables/database.ts";
import { placeholdersFor, type NewRow } from "../tables/placeholders.ts";
import { surfaceAddresses } from "../tables/surface-addresses.ts";

type AddressWrite = Extract<Write, { kind: "address" | "addressGone" }>;

export function prepareAddressWrites(db: Db) {
  const { surface, key, ...changing } = placeholdersFor(surfaceAddresses);
  const put = db
    .insert(surfaceAddresses)
    .values({ surface, key, ...changing })
    .onConflictDoUpdate({ target: [surfaceAddresses.surface, surfaceAddresses.key], set: changing })
    .prepare();
  const remove = db
    .delete(surfaceAddresses)
    .where(
      and(
        eq(surfaceAddresses.surface, sql.placeholder("surface")),
        eq(surfaceAddresses.key, sql.placeholder("key")),
      ),
    )
    .prepare();
  return {
    write: (write: AddressWrite): void => {
      const { surface: of, key: under } = write;
      if (write.kind === "addressGone") remove.run({ surface: of, key: under });
      else put.run({ surface: of, key: under, value: write.value } satisfies NewRow<typeof surfaceAddresses>);
    },
  };
}
