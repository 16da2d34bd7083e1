import type { IdentityId } from "../../../core/values/ids.ts";
import type { Identity } from "../../../core/values/identity.ts";
import type { Versioned } from "../../../service/ports/store.ts";
import { eq, sql } from "drizzle-orm";
import { identities } from "../tables/identities.ts";
import type { ReadCache } from "../../shared/read-cache.ts";
import type { Db } from "../tables/database.ts";

/** Identities by id, cached until any identity or key changes. Every call asks for a few of them. */
export interface CachedIdentities {
  readonly byId: (id: string) => Versioned<Identity> | undefined;
  /** These and their managers, in order of creation. */
  readonly withManagers: (ids: readonly IdentityId[]) => readonly Versioned<Identity>[];
}

export function cacheIdentities(db: Db, readCache: ReadCache): CachedIdentities {
  const { ord, id, value, version } = identities;
  const statement = db
    .select({ ord, value, version })
    .from(identities)
    .where(eq(id, sql.placeholder("id")))
    .prepare();
  const rowOf = readCache.cached("directory", (wanted) => {
    const row = statement.get({ id: wanted });
    return row === undefined
      ? undefined
      : { ord: row.ord, person: { value: row.value, version: row.version } };
  });
  return {
    byId: (wanted) => rowOf(wanted)?.person,
    withManagers: (ids) => {
      const found = new Map<number, Versioned<Identity>>();
      const find = (wanted: IdentityId | undefined): Identity | undefined => {
        const row = wanted === undefined ? undefined : rowOf(wanted);
        if (row !== undefined) found.set(row.ord, row.person);
        return row?.person.value;
      };
      for (const one of ids) find(find(one)?.managerId);
      return [...found].toSorted(([one], [other]) => one - other).map(([, person]) => person);
    },
  };
}
