import { eq, sql } from "drizzle-orm";
import type { Expectation } from "../../../service/ports/store.ts";
import { apiKeys } from "../tables/api-keys.ts";
import type { Db } from "../tables/database.ts";
import { grants } from "../tables/grants.ts";
import { identities } from "../tables/identities.ts";
import { requests } from "../tables/requests.ts";
import { rulebook } from "../tables/rulebook.ts";
import type { Conflict } from "./conflict.ts";

/** Checks that the records a step was decided from still have the versions that were read. */
export function prepareExpectations(db: Db) {
  const statements = {
    request: prepareVersion(db, requests),
    grant: prepareVersion(db, grants),
    identity: prepareVersion(db, identities),
    key: prepareVersion(db, apiKeys),
    rulebook: prepareVersion(db, rulebook),
  };
  return {
    check: ({ kind, id, version }: Expectation): Conflict | undefined => {
      const found = statements[kind].get({ id })?.version ?? 0;
      return found === version ? undefined : { conflict: "version", what: `${kind}:${id}` };
    },
  };
}

function prepareVersion(
  db: Db,
  table: typeof requests | typeof grants | typeof identities | typeof apiKeys | typeof rulebook,
) {
  return db
    .select({ version: table.version })
    .from(table)
    .where(eq(table.id, sql.placeholder("id")))
    .prepare();
}
