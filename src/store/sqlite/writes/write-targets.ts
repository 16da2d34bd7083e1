import { needsTargets, type Grant } from "../../../core/access/grant.ts";
import { isSettled } from "../../../core/access/target.ts";
import { eq } from "drizzle-orm";
import { grantTargets } from "../tables/schema.ts";
import { prepareWrite } from "../tables/prepare-write.ts";
import { placeholder, type Tables } from "../tables/placeholders.ts";

/** Keeps the rows of what may be at targets those of the grant. */
export function prepareTargetWrites(tables: Tables) {
  const grantId = placeholder("grantId", grantTargets.grantId);
  const forget = prepareWrite(tables, tables.delete(grantTargets).where(eq(grantTargets.grantId, grantId)));
  const add = prepareWrite(
    tables,
    tables.insert(grantTargets).values({
      grantId,
      connector: placeholder("connector", grantTargets.connector),
      place: placeholder("place", grantTargets.place),
      state: placeholder("state", grantTargets.state),
      overSince: placeholder("overSince", grantTargets.overSince),
    }),
  );
  return {
    put: (grant: Grant): void => {
      if (grant.targets.length === 0) return;
      forget.run({ grantId: grant.id });
      const isOver = !needsTargets(grant);
      for (const target of grant.targets) {
        if (isSettled(target)) continue;
        const { connector, place = null } = target.spec;
        const overSince = isOver ? target.since : null;
        add.run({ grantId: grant.id, connector, place, state: target.state, overSince });
      }
    },
  };
}
