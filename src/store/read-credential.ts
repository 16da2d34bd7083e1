import { assert } from "../core/assert.ts";
import { hasStarted } from "../core/grant.ts";
import type { Reads } from "../service/ports.ts";
import { eq } from "./drizzle.ts";
import { reading } from "./faults.ts";
import { credentials, grants, identities } from "./schema.ts";
import { hole, type Tables } from "./tables.ts";

/** What a presented token stands for: asked at every check, so one statement and little else. */
export function createCredentialReads(tables: Tables): Pick<Reads, "credential"> {
  const statement = tables
    .select({
      credential: credentials.value,
      current: credentials.current,
      firstUsedAt: credentials.firstUsedAt,
      grant: grants.value,
      version: grants.version,
      identity: identities.value,
    })
    .from(credentials)
    .innerJoin(grants, eq(grants.id, credentials.grantId))
    .innerJoin(identities, eq(identities.id, grants.subjectId))
    .where(eq(credentials.hash, hole("hash", credentials.hash)))
    .prepare();
  return {
    credential: async (hash) =>
      reading(() => {
        const row = statement.get({ hash });
        if (row === undefined) return undefined;
        const { credential, current, firstUsedAt, grant, version, identity } = row;
        assert(hasStarted(grant), "what has a credential has started");
        return { credential, current, firstUsedAt, grant: { value: grant, version }, identity };
      }),
  };
}
