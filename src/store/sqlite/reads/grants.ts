import { and, asc, eq, lte, sql } from "drizzle-orm";
import type { Instant } from "../../../core/values/ids.ts";
import type { Reads } from "../../../service/ports/store.ts";
import type { Db } from "../tables/database.ts";
import { counters } from "../tables/counters.ts";
import { grants } from "../tables/grants.ts";
import { requests } from "../tables/requests.ts";
import { activeGrantsCounter } from "./counters.ts";

export function createGrantReads(db: Db): Pick<Reads, "grant" | "dueGrants" | "activeGrants"> {
  const statements = prepareGrantReads(db);
  return {
    grant: async (id) => statements.grant.get({ id }),
    dueGrants: async (now, limit) => statements.due.all({ now, limit }).map((row) => row.requestId),
    activeGrants: async (now: Instant) => {
      const written = statements.written.get()?.used ?? 0;
      // Without those that the clock has ended and no sweep has written yet.
      return written - (statements.lapsed.get({ now })?.count ?? 0);
    },
  };
}

/** Also for the test of their query plans. */
export function prepareGrantReads(db: Db) {
  const now = sql.placeholder("now");
  // Spelled out: only then does SQLite see that the partial index fits.
  const mayLapse = sql`${grants.phase} IN ('PREPARING', 'ACTIVE')`;
  return {
    grant: db
      .select({ grant: grants.value, version: grants.version, request: requests.value })
      .from(grants)
      .innerJoin(requests, eq(requests.id, grants.requestId))
      .where(eq(grants.id, sql.placeholder("id")))
      .prepare(),
    due: db
      .select({ requestId: grants.requestId })
      .from(grants)
      .where(and(mayLapse, lte(grants.expiresAt, now)))
      .orderBy(asc(grants.expiresAt))
      .limit(sql.placeholder("limit"))
      .prepare(),
    written: db
      .select({ used: counters.used })
      .from(counters)
      .where(eq(counters.key, activeGrantsCounter))
      .prepare(),
    lapsed: db
      .select({ count: sql<number>`count(*)` })
      .from(grants)
      .where(and(mayLapse, lte(grants.expiresAt, now), sql`${grants.phase} = 'ACTIVE'`))
      .prepare(),
  };
}
