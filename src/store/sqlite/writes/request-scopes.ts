import type { AccessRequest } from "../../../core/access/access-request.ts";
import type { Db } from "../tables/database.ts";
import { placeholdersFor, type NewRow } from "../tables/placeholders.ts";
import { requestScopes } from "../tables/request-scopes.ts";

/** A request's scopes never change, so they are written with its first version. */
export function prepareRequestScopeWrites(db: Db) {
  const insert = db.insert(requestScopes).values(placeholdersFor(requestScopes)).prepare();
  return {
    add: (request: AccessRequest, requestOrd: number, status: string): void => {
      for (const scope of new Set(request.scopes)) {
        insert.run({ scope, requestOrd, status } satisfies NewRow<typeof requestScopes>);
      }
    },
  };
}
