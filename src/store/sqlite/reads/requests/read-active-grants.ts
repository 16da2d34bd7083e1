import type { Instant } from "../../../../core/values/ids.ts";
import { and, eq, lte, sql } from "drizzle-orm";
import { counters, grants } from "../../tables/schema.ts";

import { placeholder, type Tables } from "../../tables/placeholders.ts";

/** The number of grants that are written as ACTIVE: to count a million of them takes long. */
export const counter = "grants:active";

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
  const now = placeholder("now", grants.expiresAt);
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
