import { sql } from "drizzle-orm";
import { index, integer, sqliteTable, text } from "drizzle-orm/sqlite-core";
import type { Effect } from "../../../core/effects/effects.ts";
import type { EffectId, Instant } from "../../../core/values/ids.ts";

/** Effects that are still to be carried out. A settled one is deleted. */
export const outbox = sqliteTable(
  "outbox",
  {
    ord: integer("ord").primaryKey(),
    id: text("id").$type<EffectId>().notNull().unique(),
    /** Effects with the same key run one after another (core/effects/ordering-keys.ts). */
    orderingKey: text("ordering_key"),
    /** The destination whose limit and circuit breaker apply. */
    destination: text("destination").notNull(),
    /** When it first became due. */
    createdAt: integer("created_at").$type<Instant>().notNull(),
    /** When it may be taken: it is due, or its lease has ended. */
    readyAt: integer("ready_at").$type<Instant>().notNull(),
    lease: integer("lease").notNull(),
    attempts: integer("attempts").notNull(),
    lastError: text("last_error"),
    effect: text("effect", { mode: "json" }).$type<Effect>().notNull(),
  },
  (table) => [
    index("outbox_ready").on(table.readyAt),
    index("outbox_by_ordering_key")
      .on(table.orderingKey, table.ord)
      .where(sql`ordering_key IS NOT NULL`),
    index("outbox_by_age").on(table.createdAt),
  ],
);
