import type { Grant } from "../core/grant.ts";
import type { Instant } from "../core/ids.ts";
import { and, eq, lte, sql } from "./drizzle.ts";
import { counters, grants } from "./schema.ts";
import { prepareWrite } from "./prepare-write.ts";
import { hole, type Tables } from "./tables.ts";

/** The number of grants that are written as ACTIVE: to count a million of them takes long. */
const counter = "grants:active";

/** To be told of each grant before its row is written. */
export function prepareActiveCount(tables: Tables): (grant: Grant) => void {
  const phaseOf = tables
    .select({ phase: grants.phase })
    .from(grants)
    .where(eq(grants.id, hole("id", grants.id)))
    .prepare();
  const add = hole("add", counters.used);
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

/** How many open something now: without those that the clock has ended and no sweep has written yet. */
export function prepareActiveGrants(tables: Tables) {
  const statements = prepareActiveReads(tables);
  return (now: Instant): number => {
    const written = statements.written.get()?.used ?? 0;
    return written - (statements.lapsed.get({ now })?.count ?? 0);
  };
}

/** Also for the test that looks at their query plans. */
export function prepareActiveReads(tables: Tables) {
  const now = hole("now", grants.expiresAt);
  // Spelled out, for only then does SQLite see that the partial index fits.
  const mayLapse = sql`${grants.phase} IN ('PREPARING', 'ACTIVE')`;
  return {
    written: tables.select({ used: counters.used }).from(counters).where(eq(counters.key, counter)).prepare(),
    lapsed: tables
      .select({ count: sql<number>`count(*)` })
      .from(grants)
      .where(and(mayLapse, lte(grants.expiresAt, now), sql`${grants.phase} = 'ACTIVE'`))
      .prepare(),
  };
}
