import { assert, assertPresent } from "../../../core/values/assert.ts";
import type { Grant } from "../../../core/access/grant.ts";
import type { CredentialId, IdentityId, Instant, RequestId } from "../../../core/values/ids.ts";
import type { Reads } from "../../../service/ports/store.ts";
import type { Db } from "../tables/database.ts";
import type { CachedIdentities } from "./cached-identities.ts";

/**
 * The look-up of a presented token, the only hand-written statement: it runs at every token check, and Drizzle would
 * decode each value of each row anew. `+?` keeps SQLite from planning the join again for each hash.
 */
export const credentialQuery = `
  SELECT c.id AS credentialId, c.last4, c.current, c.first_used_at AS firstUsedAt, c.scope,
    c.started_at AS startedAt, c.break_glass AS breakGlass, g.request_id AS requestId, g.subject_id AS subjectId,
    g.phase, g.expires_at AS expiresAt
  FROM credentials AS c JOIN grants AS g ON g.ord = c.grant_ord
  WHERE c.hash = +?`;

interface CredentialRow {
  readonly credentialId: CredentialId;
  readonly last4: string;
  readonly current: 0 | 1;
  readonly firstUsedAt: Instant | null;
  readonly scope: string;
  readonly startedAt: Instant;
  readonly breakGlass: 0 | 1;
  readonly requestId: RequestId;
  readonly subjectId: IdentityId;
  readonly phase: Grant["phase"];
  readonly expiresAt: Instant;
}

export function createCredentialReads(db: Db, people: CachedIdentities): Pick<Reads, "credential"> {
  const statement = db.$client.prepare<[string], CredentialRow>(credentialQuery);
  return {
    credential: async (hash) => {
      const row = statement.get(hash);
      if (row === undefined) return undefined;
      const { credentialId, last4, firstUsedAt, scope, startedAt, requestId, subjectId, phase, expiresAt } =
        row;
      assert(phase !== "PREPARING" && phase !== "ABANDONED", "a grant with a credential has started");
      const identity = assertPresent(people.byId(subjectId), "the holder of a grant").value;
      const breakGlass = row.breakGlass === 1;
      const grant = { requestId, subjectId, scope, breakGlass, phase, startedAt, expiresAt };
      return { credentialId, last4, current: row.current === 1, firstUsedAt, grant, identity };
    },
  };
}
