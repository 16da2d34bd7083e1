import { eq, sql } from "drizzle-orm";
import { needsTargets, type Grant } from "../../../core/access/grant.ts";
import { isSettled } from "../../../core/access/target.ts";
import type { Db } from "../tables/database.ts";
import { grantTargets } from "../tables/grant-targets.ts";
import { placeholdersFor, type NewRow } from "../tables/placeholders.ts";

/** Makes the rows of what may exist at targets match the grant. */
export function prepareTargetWrites(db: Db) {
  const clear = db
    .delete(grantTargets)
    .where(eq(grantTargets.grantId, sql.placeholder("grantId")))
    .prepare();
  const insert = db.insert(grantTargets).values(placeholdersFor(grantTargets)).prepare();
  return {
    put: (grant: Grant): void => {
      if (grant.targets.length === 0) return;
      clear.run({ grantId: grant.id });
      for (const row of rowsOf(grant)) insert.run(row);
    },
  };
}

function rowsOf(grant: Grant): readonly NewRow<typeof grantTargets>[] {
  const isOver = !needsTargets(grant);
  return grant.targets
    .filter((target) => !isSettled(target))
    .map(({ spec: { connector, place = null }, state, since }) => ({
      grantId: grant.id,
      connector,
      place,
      state,
      overSince: isOver ? since : null,
    }));
}
