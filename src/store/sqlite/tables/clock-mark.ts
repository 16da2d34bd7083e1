import { integer, sqliteTable, text } from "drizzle-orm/sqlite-core";
import type { Instant } from "../../../core/values/ids.ts";

/** One row: the latest time of any commit. The clock never goes below it. */
export const clockMark = sqliteTable("clock_mark", {
  id: text("id").$type<"clock">().primaryKey(),
  at: integer("at").$type<Instant>().notNull(),
});
