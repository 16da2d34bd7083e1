import { eq, sql } from "drizzle-orm";
import { uniqueNames } from "../tables/unique-names.ts";
import type { Db } from "../tables/database.ts";
import type { Reads } from "../../../service/ports/store.ts";

export function createUniqueNameReads(db: Db): Pick<Reads, "ownerOf"> {
  const owner = prepareOwnerRead(db);
  return { ownerOf: async (name) => owner.get({ name })?.owner };
}

export function prepareOwnerRead(db: Db) {
  return db
    .select({ owner: uniqueNames.owner })
    .from(uniqueNames)
    .where(eq(uniqueNames.name, sql.placeholder("name")))
    .prepare();
}
