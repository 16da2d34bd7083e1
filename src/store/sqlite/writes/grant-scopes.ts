import type { StartedGrant } from "../../../core/access/grant.ts";
import type { Db } from "../tables/database.ts";
import { grantScopes } from "../tables/grant-scopes.ts";
import { placeholdersFor, type NewRow } from "../tables/placeholders.ts";

/** Records the start of access to each scope of a grant. */
export function prepareGrantScopeWrites(db: Db) {
  const insert = db.insert(grantScopes).values(placeholdersFor(grantScopes)).prepare();
  return {
    add: (grant: StartedGrant): void => {
      const { id: grantId, requestId, subjectId, startedAt, breakGlass } = grant;
      for (const scope of new Set(grant.scopes)) {
        const row = { grantId, requestId, subjectId, scope, startedAt, breakGlass };
        insert.run(row satisfies NewRow<typeof grantScopes>);
      }
    },
  };
}
