import type { Effect } from "../../../core/effects/effects.ts";
import type * as Ids from "../../../core/values/ids.ts";
import type { Delivery, Cursor, JsonValue } from "../../../service/ports/store.ts";
import { sql } from "drizzle-orm";
import { index, integer, primaryKey, sqliteTable, text } from "drizzle-orm/sqlite-core";

/*
 * What has to do with the outside: what must still happen there, how far its followers are, what people were told.
 */

/** What must still happen outside; settled rows are deleted. */
export const outbox = sqliteTable(
  "outbox",
  {
    ord: integer("ord").primaryKey(),
    id: text("id").$type<Ids.EffectId>().notNull().unique(),
    /** Effects of one lane are done one after the other (core/lanes.ts). */
    lane: text("lane"),
    /** Which way it goes out. */
    way: text("way").notNull().default("internal"),
    /** When it first became due. */
    createdAt: integer("created_at").$type<Ids.Instant>().notNull(),
    /** When it may be taken: due, or its lease over. */
    readyAt: integer("ready_at").$type<Ids.Instant>().notNull(),
    lease: integer("lease").notNull(),
    attempts: integer("attempts").notNull(),
    lastError: text("last_error"),
    effect: text("effect", { mode: "json" }).$type<Effect>().notNull(),
  },
  (table) => [
    index("outbox_ready").on(table.readyAt),
    index("outbox_by_lane")
      .on(table.lane, table.ord)
      .where(sql`lane IS NOT NULL`),
    index("outbox_by_age").on(table.createdAt),
  ],
);

/** How far each follower of the audit log has come. */
export const cursors = sqliteTable("cursors", {
  name: text("name").primaryKey(),
  value: text("value", { mode: "json" }).$type<Cursor>().notNull(),
});

/** Who was told of a request where, and where the message is. */
export const deliveries = sqliteTable(
  "copies",
  {
    ord: integer("ord").primaryKey(),
    id: text("id").notNull().unique(),
    requestId: text("request_id").$type<Delivery["requestId"]>().notNull(),
    /** Null: the card. */
    notice: text("notice").$type<NonNullable<Delivery["notice"]>>(),
    surface: text("surface").$type<Delivery["surface"]>().notNull(),
    address: text("address").notNull(),
    audience: text("audience").$type<Delivery["audience"]>().notNull(),
    readerId: text("reader_id").$type<Ids.IdentityId>(),
    state: text("state").$type<Delivery["state"]>().notNull(),
    ref: text("ref"),
    fault: text("fault"),
    at: integer("at").$type<Ids.Instant>().notNull(),
  },
  (table) => [
    index("copies_by_request").on(table.requestId),
    index("copies_by_reader")
      .on(table.readerId)
      .where(sql`reader_id IS NOT NULL`),
  ],
);

/** What a surface has learned about where people and channels are reached. `value` is the surface's own business. */
export const surfaceAddresses = sqliteTable(
  "surface_addresses",
  {
    surface: text("surface").notNull(),
    key: text("key").notNull(),
    value: text("value", { mode: "json" }).$type<JsonValue>().notNull(),
  },
  (table) => [primaryKey({ columns: [table.surface, table.key] })],
);
