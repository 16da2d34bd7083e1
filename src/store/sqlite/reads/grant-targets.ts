import { instant } from "../../../core/values/ids.ts";
import type { TargetReads } from "../../../service/ports/target-reads.ts";
import { and, asc, count, eq, gt, isNull, lte, min, sql } from "drizzle-orm";
import { grantTargets } from "../tables/grant-targets.ts";
import { grants } from "../tables/grants.ts";
import type { Db } from "../tables/database.ts";

/** What may exist at targets. */
export function createTargetReads(db: Db): Omit<TargetReads, "grant"> {
  const statements = prepareTargetReads(db);
  return {
    connectorsInUse: async () => statements.inUse.all(),
    becomingOverdue: async (since, limit) => statements.becomingOverdue.all({ since, limit }),
    toTakeBackAt: async (connector, since, limit) => statements.toTakeBackAt.all({ connector, since, limit }),
    grantsAt: async (connector, limit, after) =>
      statements.at.all({ connector, limit, after: after ?? "" }).map((row) => row.value),
    takeBacks: async () => {
      const waiting = statements.waiting.get()?.waiting ?? 0;
      const { overdue = 0, since = null } = statements.overdue.get() ?? {};
      return { waiting, overdue, oldestOverdueSince: since === null ? null : instant(since) };
    },
  };
}

/** Also for the test of their query plans. */
export function prepareTargetReads(db: Db) {
  const { grantId, connector, place, state, overSince } = grantTargets;
  const since = sql.placeholder("since");
  const limit = sql.placeholder("limit");
  const atConnector = eq(connector, sql.placeholder("connector"));
  // Spelled out: only then does SQLite see that the partial index fits.
  const isOver = sql`${overSince} IS NOT NULL`;
  return {
    inUse: db
      .select({
        connector,
        place,
        targets: count(),
        overdue: sql<number>`sum(${state} = 'REVOKE_OVERDUE')`,
      })
      .from(grantTargets)
      .groupBy(connector, place)
      .prepare(),
    becomingOverdue: db
      .select({ grantId, connector })
      .from(grantTargets)
      .where(and(isOver, lte(overSince, since), sql`${state} <> 'REVOKE_OVERDUE'`))
      .orderBy(asc(overSince))
      .limit(limit)
      .prepare(),
    toTakeBackAt: db
      .select({ grantId, connector })
      .from(grantTargets)
      .where(and(atConnector, lte(overSince, since)))
      .orderBy(asc(overSince))
      .limit(limit)
      .prepare(),
    at: db
      .select({ value: grants.value })
      .from(grantTargets)
      .innerJoin(grants, eq(grants.id, grantId))
      .where(and(atConnector, isNull(overSince), gt(grantId, sql.placeholder("after"))))
      .orderBy(asc(grantId))
      .limit(limit)
      .prepare(),
    waiting: db.select({ waiting: count() }).from(grantTargets).where(isOver).prepare(),
    overdue: db
      .select({ overdue: count(), since: min(overSince) })
      .from(grantTargets)
      .where(and(isOver, sql`${state} = 'REVOKE_OVERDUE'`))
      .prepare(),
  };
}
