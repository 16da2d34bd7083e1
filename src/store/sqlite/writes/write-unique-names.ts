import { prepareOwner } from "../reads/read-unique-names.ts";
import type { UniqueChange } from "../../../service/ports/store.ts";
import { and, eq } from "drizzle-orm";

import { uniqueNames } from "../tables/schema.ts";
import { prepareWrite } from "../tables/prepare-write.ts";
import { placeholder, type Conflict, type Tables } from "../tables/placeholders.ts";

/** Names with one owner each. Taking one's own again is fine; only the owner's release counts. */
export function prepareUniqueNames(tables: Tables) {
  const name = placeholder("name", uniqueNames.name);
  const owner = placeholder("owner", uniqueNames.owner);
  const statements = {
    take: prepareWrite(tables, tables.insert(uniqueNames).values({ name, owner }).onConflictDoNothing()),
    owner: prepareOwner(tables),
    release: prepareWrite(
      tables,
      tables.delete(uniqueNames).where(and(eq(uniqueNames.name, name), eq(uniqueNames.owner, owner))),
    ),
  };
  return {
    change: (change: UniqueChange): Conflict | undefined => {
      if ("release" in change) {
        statements.release.run({ name: change.release, owner: change.owner });
        return undefined;
      }
      const taken = statements.take.run({ name: change.take, owner: change.owner });
      if (taken.changes === 1) return undefined;
      const holder = statements.owner.get({ name: change.take })?.owner;
      return holder === undefined || holder === change.owner
        ? undefined
        : { conflict: "unique", what: change.take, owner: holder };
    },
  };
}
