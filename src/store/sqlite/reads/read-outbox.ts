import { instant } from "../../../core/values/ids.ts";
import type { Reads } from "../../../service/ports/store.ts";
import { and, asc, count, lte, min, sql } from "drizzle-orm";
import { translateErrors } from "../tables/sqlite-faults.ts";
import { outbox } from "../tables/schema.ts";
import { placeholder, listPlaceholder, jsonList, type Tables } from "../tables/placeholders.ts";

/** What still has to happen outside. */
export function createOutboxReads(tables: Tables): Pick<Reads, "dueEffects" | "outbox"> {
  const statements = prepareOutboxReads(tables);
  return {
    dueEffects: async (now, limit, without = []) =>
      translateErrors(() => statements.due.all({ now, limit, without: jsonList(without) })),
    outbox: async (now) =>
      translateErrors(() => {
        const waiting = statements.waiting.get({ now })?.waiting ?? 0;
        const oldest = statements.oldest.get({ now })?.at ?? null;
        return { waiting, oldestDueAt: oldest === null ? null : instant(oldest) };
      }),
  };
}

/** Also for the test that looks at their query plans. */
export function prepareOutboxReads(tables: Tables) {
  const { id, effect, attempts, lease, createdAt, readyAt, ord, way } = outbox;
  const now = placeholder("now", readyAt);
  const hasEarlier = sql`EXISTS (SELECT 1 FROM ${outbox} AS earlier WHERE earlier.lane = ${outbox.lane} AND earlier.ord < ${ord})`;
  return {
    /** At most the oldest of each lane, so that what is said is said in order. */
    due: tables
      .select({ id, effect, attempts, lease, createdAt })
      .from(outbox)
      .where(and(lte(readyAt, now), sql`${way} NOT IN ${listPlaceholder("without")}`, sql`NOT ${hasEarlier}`))
      .orderBy(asc(readyAt), asc(ord))
      .limit(sql.placeholder("limit"))
      .prepare(),
    waiting: tables.select({ waiting: count() }).from(outbox).where(lte(createdAt, now)).prepare(),
    oldest: tables
      .select({ at: min(createdAt) })
      .from(outbox)
      .where(lte(createdAt, now))
      .prepare(),
  };
}
