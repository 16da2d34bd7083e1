import { eq, sql } from "drizzle-orm";
import { assert } from "../../../core/values/assert.ts";
import type { Identity } from "../../../core/values/identity.ts";
import type { Db } from "../tables/database.ts";
import { identities, identityGroups } from "../tables/identities.ts";
import { placeholdersFor, type NewRow } from "../tables/placeholders.ts";

/** Writes identities with their groups. */
export function prepareIdentityWrites(db: Db) {
  const { id, ...changing } = placeholdersFor(identities);
  const insert = db
    .insert(identities)
    .values({ id, ...changing })
    .prepare();
  const update = db
    .update(identities)
    .set(changing)
    .where(eq(identities.id, sql.placeholder("id")))
    .prepare();
  const leaveGroups = db
    .delete(identityGroups)
    .where(eq(identityGroups.identityId, sql.placeholder("identityId")))
    .prepare();
  const joinGroup = db.insert(identityGroups).values(placeholdersFor(identityGroups)).prepare();
  return {
    write: (identity: Identity, version: number): void => {
      const row = rowOf(identity, version);
      const identityId = identity.id;
      if (version === 1) {
        insert.run(row);
      } else {
        assert(update.run(row).changes === 1, `the row of ${identityId} exists`);
        leaveGroups.run({ identityId });
      }
      for (const groupName of new Set(identity.groups)) {
        joinGroup.run({ groupName, identityId } satisfies NewRow<typeof identityGroups>);
      }
    },
  };
}

function rowOf(identity: Identity, version: number): NewRow<typeof identities> {
  const { id, email, managerId = null, managedBy } = identity;
  return { id, version, email: email?.toLowerCase() ?? null, managerId, managedBy, value: identity };
}
