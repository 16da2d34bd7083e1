import { assert } from "../../../core/values/assert.ts";
import type { Identity } from "../../../core/values/identity.ts";
import type { ApiKey } from "../../../service/ports/store.ts";
import { eq } from "drizzle-orm";
import { apiKeys, identities, identityGroups } from "../tables/schema.ts";
import { prepareWrite } from "../tables/prepare-write.ts";
import { placeholder, type Conflict, type Tables } from "../tables/placeholders.ts";

/** Writes identities with their groups, and API keys. */
export function prepareDirectoryWrites(tables: Tables) {
  const statements = prepareStatements(tables);
  return {
    identity: (identity: Identity, version: number): Conflict | undefined => {
      const { id, managedBy } = identity;
      const email = identity.email?.toLowerCase() ?? null;
      const row = { id, version, email, managerId: identity.managerId ?? null, managedBy, value: identity };
      if (version === 1) {
        statements.insertIdentity.run(row);
      } else {
        assert(statements.updateIdentity.run(row).changes === 1, `the row of ${id} is there`);
        statements.leaveGroups.run({ identityId: id });
      }
      for (const groupName of new Set(identity.groups))
        statements.joinGroup.run({ groupName, identityId: id });
      return undefined;
    },

    key: (key: ApiKey, version: number): Conflict | undefined => {
      const { id, identityId, hash, deletedAt } = key;
      const row = { id, version, identityId, hash, deletedAt, value: key };
      if (version === 1) statements.insertKey.run(row);
      else assert(statements.updateKey.run(row).changes === 1, `the row of ${id} is there`);
      return undefined;
    },
  };
}

function prepareStatements(tables: Tables) {
  const id = placeholder("id", identities.id);
  const identityId = placeholder("identityId", apiKeys.identityId);
  const identity = {
    version: placeholder("version", identities.version),
    email: placeholder("email", identities.email),
    managerId: placeholder("managerId", identities.managerId),
    managedBy: placeholder("managedBy", identities.managedBy),
    value: placeholder("value", identities.value),
  };
  const key = {
    version: placeholder("version", apiKeys.version),
    identityId,
    hash: placeholder("hash", apiKeys.hash),
    deletedAt: placeholder("deletedAt", apiKeys.deletedAt),
    value: placeholder("value", apiKeys.value),
  };
  return {
    insertIdentity: prepareWrite(tables, tables.insert(identities).values({ id, ...identity })),
    updateIdentity: prepareWrite(
      tables,
      tables.update(identities).set(identity).where(eq(identities.id, id)),
    ),
    leaveGroups: prepareWrite(
      tables,
      tables.delete(identityGroups).where(eq(identityGroups.identityId, identityId)),
    ),
    joinGroup: prepareWrite(
      tables,
      tables
        .insert(identityGroups)
        .values({ groupName: placeholder("groupName", identityGroups.groupName), identityId }),
    ),
    insertKey: prepareWrite(tables, tables.insert(apiKeys).values({ id, ...key })),
    updateKey: prepareWrite(tables, tables.update(apiKeys).set(key).where(eq(apiKeys.id, id))),
  };
}
