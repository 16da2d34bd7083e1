import { assert, present } from "../../../core/values/assert.ts";
import type { Reads } from "../../../service/ports/store.ts";
import { eq } from "../tables/drizzle.ts";
import { reading } from "../tables/sqlite-faults.ts";
import { prepareRead } from "../tables/prepare-read.ts";
import type { RememberedPeople } from "./cached-identities.ts";
import { credentials, grants } from "../tables/schema.ts";
import { hole, type Tables } from "../tables/placeholders.ts";

/** What a presented token stands for: asked at every check, so little is read. */
export function createCredentialReads(tables: Tables, people: RememberedPeople): Pick<Reads, "credential"> {
  const statements = prepareCredentialReads(tables);
  return {
    credential: async (hash) =>
      reading(() => {
        const row = statements.credential.get(hash);
        if (row === undefined) return undefined;
        const [
          credentialId,
          last4,
          current,
          firstUsedAt,
          scope,
          startedAt,
          breakGlass,
          requestId,
          subjectId,
          phase,
          expiresAt,
        ] = row;
        assert(phase !== "PREPARING" && phase !== "ABANDONED", "what has a credential has started");
        const identity = present(people.byId(subjectId), "the holder of a grant").value;
        const grant = { requestId, subjectId, scope, breakGlass, phase, startedAt, expiresAt };
        return { credentialId, last4, current, firstUsedAt, grant, identity };
      }),
  };
}

export function prepareCredentialReads(tables: Tables) {
  const { id, last4, current, firstUsedAt, scope, startedAt, breakGlass, grantOrd, hash } = credentials;
  const { requestId, subjectId, phase, expiresAt } = grants;
  return {
    credential: prepareRead(
      tables,
      [id, last4, current, firstUsedAt, scope, startedAt, breakGlass, requestId, subjectId, phase, expiresAt],
      (selected) =>
        selected
          .from(credentials)
          .innerJoin(grants, eq(grants.ord, grantOrd))
          .where(eq(hash, hole("hash", hash))),
    ),
  };
}
