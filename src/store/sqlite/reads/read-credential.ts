import { assert, assertPresent } from "../../../core/values/assert.ts";
import type { Reads } from "../../../service/ports/store.ts";
import { eq } from "drizzle-orm";
import { translateErrors } from "../tables/sqlite-faults.ts";
import { prepareRead } from "../tables/prepare-read.ts";
import type { CachedIdentities } from "./cached-identities.ts";
import { credentials, grants } from "../tables/schema.ts";
import { placeholder, type Tables } from "../tables/placeholders.ts";

/** What a presented token stands for: asked at every check, so little is read. */
export function createCredentialReads(tables: Tables, people: CachedIdentities): Pick<Reads, "credential"> {
  const statements = prepareCredentialReads(tables);
  return {
    credential: async (hash) =>
      translateErrors(() => {
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
        const identity = assertPresent(people.byId(subjectId), "the holder of a grant").value;
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
          .where(eq(hash, placeholder("hash", hash))),
    ),
  };
}
