import { instant } from "../../../core/values/ids.ts";
import type { TargetReads } from "../../../service/ports/target-reads.ts";
import { and, asc, count, eq, gt, isNull, lte, min, sql } from "drizzle-orm";
import { translateErrors } from "../tables/sqlite-faults.ts";
import { grants, grantTargets, requests } from "../tables/schema.ts";
import { placeholder, type Tables } from "../tables/placeholders.ts";

/** What may be at which target, and the grants it belongs to. */
export function createTargetReads(tables: Tables): TargetReads {
  const statements = prepareTargetReads(tables);
  return {
    grant: async (id) => translateErrors(() => statements.grant.get({ id })),
    connectorsInUse: async () => translateErrors(() => statements.inUse.all()),
    becomingOverdue: async (since, limit) =>
      translateErrors(() => statements.becomingOverdue.all({ since, limit })),
    toTakeBackAt: async (connector, since, limit) =>
      translateErrors(() => statements.toTakeBackAt.all({ connector, since, limit })),
    grantsAt: async (connector, limit, after) =>
      translateErrors(() =>
        statements.at.all({ connector, limit, after: after ?? "" }).map((row) => row.value),
      ),
    takeBacks: async () =>
      translateErrors(() => {
        const waiting = statements.waiting.get()?.waiting ?? 0;
        const { overdue = 0, since = null } = statements.overdue.get() ?? {};
        return { waiting, overdue, oldestOverdueSince: since === null ? null : instant(since) };
      }),
  };
}

/** Also for the test that looks at their query plans. */
export function prepareTargetReads(tables: Tables) {
  const { grantId, connector, place, state, overSince } = grantTargets;
  const id = placeholder("id", grants.id);
  const since = placeholder("since", overSince);
  const limit = sql.placeholder("limit");
  const atConnector = eq(connector, placeholder("connector", connector));
  // Spelled out, for only then does SQLite see that the partial index fits.
  const isOver = sql`${overSince} IS NOT NULL`;
  return {
    grant: tables
      .select({ grant: grants.value, version: grants.version, request: requests.value })
      .from(grants)
      .innerJoin(requests, eq(requests.id, grants.requestId))
      .where(eq(grants.id, id))
      .prepare(),
    inUse: tables
      .select({
        connector,
        place,
        targets: count(),
        overdue: sql<number>`sum(${state} = 'REVOKE_OVERDUE')`,
      })
      .from(grantTargets)
      .groupBy(connector, place)
      .prepare(),
    becomingOverdue: tables
      .select({ grantId, connector })
      .from(grantTargets)
      .where(and(isOver, lte(overSince, since), sql`${state} <> 'REVOKE_OVERDUE'`))
      .orderBy(asc(overSince))
      .limit(limit)
      .prepare(),
    toTakeBackAt: tables
      .select({ grantId, connector })
      .from(grantTargets)
      .where(and(atConnector, lte(overSince, since)))
      .orderBy(asc(overSince))
      .limit(limit)
      .prepare(),
    at: tables
      .select({ value: grants.value })
      .from(grantTargets)
      .innerJoin(grants, eq(grants.id, grantId))
      .where(and(atConnector, isNull(overSince), gt(grantId, placeholder("after", grantId))))
      .orderBy(asc(grantId))
      .limit(limit)
      .prepare(),
    waiting: tables.select({ waiting: count() }).from(grantTargets).where(isOver).prepare(),
    overdue: tables
      .select({ overdue: count(), since: min(overSince) })
      .from(grantTargets)
      .where(and(isOver, sql`${state} = 'REVOKE_OVERDUE'`))
      .prepare(),
  };
}
