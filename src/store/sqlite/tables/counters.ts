import { index, integer, sqliteTable, text } from "drizzle-orm/sqlite-core";
import type { Instant } from "../../../core/values/ids.ts";

/** Counters without a time window, and gauges, which also fall. */
export const counters = sqliteTable("counters", {
  key: text("key").primaryKey(),
  used: integer("used").notNull(),
});

/** Counters with a time window: one row for each use. */
export const counterUses = sqliteTable(
  "counter_uses",
  {
    key: text("key").notNull(),
    at: integer("at").$type<Instant>().notNull(),
  },
  (table) => [index("counter_uses_by_time").on(table.key, table.at)],
);
