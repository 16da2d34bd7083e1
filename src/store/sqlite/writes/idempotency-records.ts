import { inArray, lte, sql } from "drizzle-orm";
import { dayMs, plus } from "../../../core/values/time.ts";
import type { IdempotencyRecord } from "../../../service/ports/store.ts";
import type { Db } from "../tables/database.ts";
import { idempotencyRecords } from "../tables/idempotency-records.ts";
import { placeholdersFor, type NewRow } from "../tables/placeholders.ts";

/** How long an answer is kept (docs/api.md). */
const retentionMs = dayMs;
/** Old records removed with each new one: more than one, so that a backlog shrinks, but few, so that no call waits. */
const prunedMax = 20;

/** Keeps the answers of calls with an Idempotency-Key. A new answer to the same call replaces the old one. */
export function prepareIdempotencyWrites(db: Db) {
  const { keyId, call, idempotencyKey, ...changing } = placeholdersFor(idempotencyRecords);
  const put = db
    .insert(idempotencyRecords)
    .values({ keyId, call, idempotencyKey, ...changing })
    .onConflictDoUpdate({
      target: [idempotencyRecords.keyId, idempotencyRecords.call, idempotencyRecords.idempotencyKey],
      set: changing,
    })
    .prepare();
  const rowid = sql<number>`rowid`;
  const old = db
    .select({ rowid })
    .from(idempotencyRecords)
    .where(lte(idempotencyRecords.at, sql.placeholder("before")))
    .limit(prunedMax);
  const prune = db.delete(idempotencyRecords).where(inArray(rowid, old)).prepare();
  return {
    put: (record: IdempotencyRecord): void => {
      put.run({ ...record } satisfies NewRow<typeof idempotencyRecords>);
      prune.run({ before: plus(record.at, -retentionMs) });
    },
  };
}
