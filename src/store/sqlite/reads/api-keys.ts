import { and, asc, desc, eq, isNull, lt, sql } from "drizzle-orm";
import type { Reads } from "../../../service/ports/store.ts";
import type { ReadCache } from "../../shared/read-cache.ts";
import { apiKeys } from "../tables/api-keys.ts";
import type { Db } from "../tables/database.ts";
import { identities } from "../tables/identities.ts";
import { newest, pageByOrd } from "./page-by-ord.ts";

export function createApiKeyReads(
  db: Db,
  readCache: ReadCache,
): Pick<Reads, "key" | "keyByHash" | "keys" | "keysOf"> {
  const statements = prepareApiKeyReads(db);
  // Every call looks up its key: mostly one of a few, which hardly ever change.
  const keyByHash = readCache.cached("directory", (hash) => {
    const row = statements.keyByHash.get({ hash });
    return row && { key: { value: row.value, version: row.version }, identity: row.identity };
  });
  return {
    key: async (id) => statements.key.get({ id }),
    keyByHash: async (hash) => keyByHash(hash),
    keys: async ({ limit, before = newest }) =>
      pageByOrd(statements.keys.all({ before, limit: limit + 1 }), limit),
    keysOf: async (identityId) => statements.keysOf.all({ identityId }),
  };
}

/** Also for the test of their query plans. */
export function prepareApiKeyReads(db: Db) {
  const { ord, id, hash, value, version, identityId, deletedAt } = apiKeys;
  return {
    key: db
      .select({ value, version })
      .from(apiKeys)
      .where(eq(id, sql.placeholder("id")))
      .prepare(),
    keyByHash: db
      .select({ value, version, identity: identities.value })
      .from(apiKeys)
      .innerJoin(identities, eq(identities.id, identityId))
      .where(eq(hash, sql.placeholder("hash")))
      // A key in use before a deleted one with the same secret.
      .orderBy(desc(isNull(deletedAt)), desc(ord))
      .limit(1)
      .prepare(),
    keys: db
      .select({ ord, value })
      .from(apiKeys)
      .where(and(isNull(deletedAt), lt(ord, sql.placeholder("before"))))
      .orderBy(desc(ord))
      .limit(sql.placeholder("limit"))
      .prepare(),
    keysOf: db
      .select({ value, version })
      .from(apiKeys)
      .where(and(eq(identityId, sql.placeholder("identityId")), isNull(deletedAt)))
      .orderBy(asc(ord))
      .prepare(),
  };
}
