import type { Reads, UniqueChange } from "../service/ports.ts";
import { and, eq } from "./drizzle.ts";
import { reading } from "./faults.ts";
import { uniqueNames } from "./schema.ts";
import { prepareWrite } from "./prepare-write.ts";
import { hole, type Conflict, type Tables } from "./tables.ts";

/** Names with one owner each. Taking one's own again is fine; only the owner's release counts. */
export function prepareUniqueNames(tables: Tables) {
  const name = hole("name", uniqueNames.name);
  const owner = hole("owner", uniqueNames.owner);
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

export function createNameReads(tables: Tables): Pick<Reads, "ownerOf"> {
  const owner = prepareOwner(tables);
  return { ownerOf: async (name) => reading(() => owner.get({ name })?.owner) };
}

function prepareOwner(tables: Tables) {
  return tables
    .select({ owner: uniqueNames.owner })
    .from(uniqueNames)
    .where(eq(uniqueNames.name, hole("name", uniqueNames.name)))
    .prepare();
}
