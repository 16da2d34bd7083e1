import { index, integer, primaryKey, sqliteTable, text } from "drizzle-orm/sqlite-core";
import type { Instant, KeyId } from "../../../core/values/ids.ts";

/** Answers to calls with an Idempotency-Key. */
export const idempotencyRecords = sqliteTable(
  "idempotency_records",
  {
    keyId: text("key_id").$type<KeyId>().notNull(),
    call: text("call").notNull(),
    idempotencyKey: text("idempotency_key").notNull(),
    bodyHash: text("body_hash").notNull(),
    status: integer("status").notNull(),
    body: text("body").notNull(),
    at: integer("at").$type<Instant>().notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.keyId, table.call, table.idempotencyKey] }),
    index("idempotency_records_by_time").on(table.at),
  ],
);
