import { assert, present } from "../core/assert.ts";
import { hasStarted } from "../core/grant.ts";
import type { Reads } from "../service/ports.ts";
import { eq } from "./drizzle.ts";
import { reading } from "./faults.ts";
import type { RememberedPeople } from "./remembered-people.ts";
import { credentials, grants } from "./schema.ts";
import { hole, type Tables } from "./tables.ts";

/** What a presented token stands for: asked at every check, so little is read. */
export function createCredentialReads(tables: Tables, people: RememberedPeople): Pick<Reads, "credential"> {
  const statements = prepareCredentialReads(tables);
  return {
    credential: async (hash) =>
      reading(() => {
        const row = statements.credential.get({ hash });
        if (row === undefined) return undefined;
        const { credentialId, current, firstUsedAt, grant } = row;
        assert(hasStarted(grant), "what has a credential has started");
        assert(!current || grant.credential.id === credentialId, "a living credential is its grant's");
        const held = present(people.byId(grant.subjectId), "the holder of a grant").value;
        return { credentialId, current, firstUsedAt, grant, identity: held };
      }),
  };
}

export function prepareCredentialReads(tables: Tables) {
  return {
    credential: tables
      .select({
        credentialId: credentials.id,
        current: credentials.current,
        firstUsedAt: credentials.firstUsedAt,
        grant: grants.value,
      })
      .from(credentials)
      .innerJoin(grants, eq(grants.ord, credentials.grantOrd))
      .where(eq(credentials.hash, hole("hash", credentials.hash)))
      .prepare(),
  };
}
