import { sql } from "drizzle-orm";
import { index, integer, sqliteTable, text } from "drizzle-orm/sqlite-core";
import type { IdentityId, Instant } from "../../../core/values/ids.ts";
import type { Delivery } from "../../../service/ports/store.ts";

/** Each message about a request: who received it, where it is, and whether it arrived. */
export const deliveries = sqliteTable(
  "deliveries",
  {
    ord: integer("ord").primaryKey(),
    id: text("id").notNull().unique(),
    requestId: text("request_id").$type<Delivery["requestId"]>().notNull(),
    /** Null for the card itself. */
    notice: text("notice").$type<NonNullable<Delivery["notice"]>>(),
    surface: text("surface").$type<Delivery["surface"]>().notNull(),
    address: text("address").notNull(),
    audience: text("audience").$type<Delivery["audience"]>().notNull(),
    readerId: text("reader_id").$type<IdentityId>(),
    state: text("state").$type<Delivery["state"]>().notNull(),
    ref: text("ref"),
    fault: text("fault"),
    at: integer("at").$type<Instant>().notNull(),
  },
  (table) => [
    index("deliveries_by_request").on(table.requestId),
    index("deliveries_by_reader")
      .on(table.readerId)
      .where(sql`reader_id IS NOT NULL`),
  ],
);
