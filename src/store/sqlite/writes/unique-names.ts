import { and, eq, sql } from "drizzle-orm";
import type { UniqueChange } from "../../../service/ports/store.ts";
import { prepareOwnerRead } from "../reads/unique-names.ts";
import type { Db } from "../tables/database.ts";
import { placeholdersFor, type NewRow } from "../tables/placeholders.ts";
import { uniqueNames } from "../tables/unique-names.ts";
import type { Conflict } from "./conflict.ts";

/** Names with one owner each. An owner may take its own name again; only the owner's release counts. */
export function prepareUniqueNameWrites(db: Db) {
  const owner = prepareOwnerRead(db);
  const take = db.insert(uniqueNames).values(placeholdersFor(uniqueNames)).onConflictDoNothing().prepare();
  const release = db
    .delete(uniqueNames)
    .where(
      and(eq(uniqueNames.name, sql.placeholder("name")), eq(uniqueNames.owner, sql.placeholder("owner"))),
    )
    .prepare();
  return {
    change: (change: UniqueChange): Conflict | undefined => {
      if ("release" in change) {
        release.run({ name: change.release, owner: change.owner });
        return undefined;
      }
      const row: NewRow<typeof uniqueNames> = { name: change.take, owner: change.owner };
      if (take.run(row).changes === 1) return undefined;
      const holder = owner.get({ name: change.take })?.owner;
      return holder === undefined || holder === change.owner
        ? undefined
        : { conflict: "unique", what: change.take, owner: holder };
    },
  };
}
