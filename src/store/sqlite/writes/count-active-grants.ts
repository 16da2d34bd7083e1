import type { Grant } from "../../../core/access/grant.ts";
import { eq, sql } from "drizzle-orm";
import { counters, grants } from "../tables/schema.ts";
import { prepareWrite } from "../tables/prepare-write.ts";
import { placeholder, type Tables } from "../tables/placeholders.ts";
import { counter } from "../reads/requests/read-active-grants.ts";

/** To be told of each grant before its row is written. */
export function prepareActiveGrantCount(tables: Tables): (grant: Grant) => void {
  const phaseOf = tables
    .select({ phase: grants.phase })
    .from(grants)
    .where(eq(grants.id, placeholder("id", grants.id)))
    .prepare();
  const add = placeholder("add", counters.used);
  const change = prepareWrite(
    tables,
    tables
      .insert(counters)
      .values({ key: counter, used: add })
      .onConflictDoUpdate({ target: counters.key, set: { used: sql`${counters.used} + ${add}` } }),
  );
  return ({ id, phase }) => {
    const was = Number(phaseOf.get({ id })?.phase === "ACTIVE");
    const is = Number(phase === "ACTIVE");
    if (was !== is) change.run({ add: is - was });
  };
}
