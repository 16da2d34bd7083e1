import { eq, sql } from "drizzle-orm";
import { assert } from "../../../core/values/assert.ts";
import type { ApiKey } from "../../../service/ports/store.ts";
import { apiKeys } from "../tables/api-keys.ts";
import type { Db } from "../tables/database.ts";
import { placeholdersFor, type NewRow } from "../tables/placeholders.ts";

export function prepareApiKeyWrites(db: Db) {
  const { id, ...changing } = placeholdersFor(apiKeys);
  const insert = db
    .insert(apiKeys)
    .values({ id, ...changing })
    .prepare();
  const update = db
    .update(apiKeys)
    .set(changing)
    .where(eq(apiKeys.id, sql.placeholder("id")))
    .prepare();
  return {
    write: (key: ApiKey, version: number): void => {
      const row = rowOf(key, version);
      if (version === 1) insert.run(row);
      else assert(update.run(row).changes === 1, `the row of ${key.id} exists`);
    },
  };
}

function rowOf(key: ApiKey, version: number): NewRow<typeof apiKeys> {
  const { id, identityId, hash, deletedAt } = key;
  return { id, version, identityId, hash, deletedAt, value: key };
}
