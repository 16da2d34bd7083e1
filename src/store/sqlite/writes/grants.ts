import { eq, sql } from "drizzle-orm";
import { grantLapsesAt, hasStarted, type Grant, type StartedGrant } from "../../../core/access/grant.ts";
import { assertPresent } from "../../../core/values/assert.ts";
import type { Db } from "../tables/database.ts";
import { grants } from "../tables/grants.ts";
import { placeholdersFor, type NewRow } from "../tables/placeholders.ts";
import { prepareActiveGrantCount } from "./counters.ts";
import { prepareCredentialWrites } from "./credentials.ts";
import { prepareGrantScopeWrites } from "./grant-scopes.ts";
import { prepareTargetWrites } from "./grant-targets.ts";

/** Writes grants with their credentials, the starts of access, and what may exist at targets. */
export function prepareGrantWrites(db: Db) {
  const statements = prepareStatements(db);
  const credentials = prepareCredentialWrites(db);
  const scopes = prepareGrantScopeWrites(db);
  const targets = prepareTargetWrites(db);
  const countActive = prepareActiveGrantCount(db);

  const start = (grant: StartedGrant, ord: number): void => {
    scopes.add(grant);
    credentials.issue(grant, ord);
  };

  /** The start issues the first credential. Later only a rotation retires one, and only then is another issued. */
  const followStarted = (grant: StartedGrant, ord: number): void => {
    if (credentials.retireOthers(grant, ord)) credentials.issue(grant, ord);
    else if (grant.targets.length > 0 && !credentials.hasAny(ord)) start(grant, ord);
  };

  return {
    write: (grant: Grant, version: number): void => {
      const row = rowOf(grant, version);
      countActive(grant);
      const statement = version === 1 ? statements.insert : statements.update;
      const { ord } = assertPresent(statement.get(row), `the row of ${grant.id}`);
      if (hasStarted(grant)) {
        if (version === 1) start(grant, ord);
        else followStarted(grant, ord);
      }
      targets.put(grant);
    },
    firstCredentialUse: credentials.firstUsed,
  };
}

function rowOf(grant: Grant, version: number): NewRow<typeof grants> {
  const { id, requestId, subjectId, phase } = grant;
  return { id, version, requestId, subjectId, phase, expiresAt: grantLapsesAt(grant), value: grant };
}

function prepareStatements(db: Db) {
  const { id, requestId, subjectId, ...changing } = placeholdersFor(grants);
  const { ord } = grants;
  return {
    insert: db
      .insert(grants)
      .values({ id, requestId, subjectId, ...changing })
      .returning({ ord })
      .prepare(),
    update: db
      .update(grants)
      .set(changing)
      .where(eq(grants.id, sql.placeholder("id")))
      .returning({ ord })
      .prepare(),
  };
}
