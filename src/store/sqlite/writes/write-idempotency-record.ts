import { dayMs, plus } from "../../../core/values/time.ts";
import type { IdempotencyRecord } from "../../../service/ports/store.ts";
import { inArray, lte, sql } from "drizzle-orm";
import { idempotencyRecords } from "../tables/schema.ts";
import { prepareWrite } from "../tables/prepare-write.ts";
import { placeholder, type Tables } from "../tables/placeholders.ts";

/** How long an answer is kept (contract 3). */
const retentionMs = dayMs;
/** Old answers removed with each new one: more than one, so that a backlog shrinks, and few, so that none waits. */
const prunedMax = 20;

/** Keeps the answers of calls with an Idempotency-Key. A new answer to the same call takes the place of the old. */
export function prepareIdempotencyWrite(tables: Tables) {
  const changing = {
    bodyHash: placeholder("bodyHash", idempotencyRecords.bodyHash),
    status: placeholder("status", idempotencyRecords.status),
    body: placeholder("body", idempotencyRecords.body),
    at: placeholder("at", idempotencyRecords.at),
  };
  const upsert = prepareWrite(
    tables,
    tables
      .insert(idempotencyRecords)
      .values({
        keyId: placeholder("keyId", idempotencyRecords.keyId),
        call: placeholder("call", idempotencyRecords.call),
        idempotencyKey: placeholder("idempotencyKey", idempotencyRecords.idempotencyKey),
        ...changing,
      })
      .onConflictDoUpdate({
        target: [idempotencyRecords.keyId, idempotencyRecords.call, idempotencyRecords.idempotencyKey],
        set: changing,
      }),
  );
  const rowid = sql<number>`rowid`;
  const old = tables
    .select({ rowid })
    .from(idempotencyRecords)
    .where(lte(idempotencyRecords.at, placeholder("before", idempotencyRecords.at)))
    .limit(prunedMax);
  const prune = prepareWrite(tables, tables.delete(idempotencyRecords).where(inArray(rowid, old)));
  return {
    put: (record: IdempotencyRecord): void => {
      upsert.run({ ...record });
      prune.run({ before: plus(record.at, -retentionMs) });
    },
  };
}
