import { eq } from "../tables/drizzle.ts";
import { uniqueNames } from "../tables/schema.ts";
import { hole, type Tables } from "../tables/placeholders.ts";
import type { Reads } from "../../../service/ports/store.ts";
import { reading } from "../tables/sqlite-faults.ts";

export function createNameReads(tables: Tables): Pick<Reads, "ownerOf"> {
  const owner = prepareOwner(tables);
  return { ownerOf: async (name) => reading(() => owner.get({ name })?.owner) };
}

export function prepareOwner(tables: Tables) {
  return tables
    .select({ owner: uniqueNames.owner })
    .from(uniqueNames)
    .where(eq(uniqueNames.name, hole("name", uniqueNames.name)))
    .prepare();
}
