import { eq } from "drizzle-orm";
import { uniqueNames } from "../tables/schema.ts";
import { placeholder, type Tables } from "../tables/placeholders.ts";
import type { Reads } from "../../../service/ports/store.ts";
import { translateErrors } from "../tables/sqlite-faults.ts";

export function createNameReads(tables: Tables): Pick<Reads, "ownerOf"> {
  const owner = prepareOwner(tables);
  return { ownerOf: async (name) => translateErrors(() => owner.get({ name })?.owner) };
}

export function prepareOwner(tables: Tables) {
  return tables
    .select({ owner: uniqueNames.owner })
    .from(uniqueNames)
    .where(eq(uniqueNames.name, placeholder("name", uniqueNames.name)))
    .prepare();
}
