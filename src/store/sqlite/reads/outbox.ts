import { instant } from "../../../core/values/ids.ts";
import type { Reads } from "../../../service/ports/store.ts";
import { and, asc, count, lte, min, sql } from "drizzle-orm";
import { outbox } from "../tables/outbox.ts";
import type { Db } from "../tables/database.ts";
import { jsonList, listPlaceholder } from "../tables/placeholders.ts";

/** Effects that are still to be carried out. */
export function createOutboxReads(db: Db): Pick<Reads, "dueEffects" | "outbox"> {
  const statements = prepareOutboxReads(db);
  return {
    dueEffects: async (now, limit, without = []) =>
      statements.due.all({ now, limit, without: jsonList(without) }),
    outbox: async (now) => {
      const waiting = statements.waiting.get({ now })?.waiting ?? 0;
      const oldest = statements.oldest.get({ now })?.at ?? null;
      return { waiting, oldestDueAt: oldest === null ? null : instant(oldest) };
    },
  };
}

/** Also for the test of their query plans. */
export function prepareOutboxReads(db: Db) {
  const { id, effect, attempts, lease, createdAt, readyAt, ord, orderingKey, destination } = outbox;
  const now = sql.placeholder("now");
  const hasEarlier = sql`EXISTS (SELECT 1 FROM ${outbox} AS earlier WHERE earlier.ordering_key = ${orderingKey} AND earlier.ord < ${ord})`;
  return {
    /** At most the oldest of each ordering key, so that messages arrive in order. */
    due: db
      .select({ id, effect, attempts, lease, createdAt })
      .from(outbox)
      .where(
        and(
          lte(readyAt, now),
          sql`${destination} NOT IN ${listPlaceholder("without")}`,
          sql`NOT ${hasEarlier}`,
        ),
      )
      .orderBy(asc(readyAt), asc(ord))
      .limit(sql.placeholder("limit"))
      .prepare(),
    waiting: db.select({ waiting: count() }).from(outbox).where(lte(createdAt, now)).prepare(),
    oldest: db
      .select({ at: min(createdAt) })
      .from(outbox)
      .where(lte(createdAt, now))
      .prepare(),
  };
}
