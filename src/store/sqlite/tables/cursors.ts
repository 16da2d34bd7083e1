import { sqliteTable, text } from "drizzle-orm/sqlite-core";
import type { Cursor } from "../../../service/ports/store.ts";

/** How far each reader of the audit log has come. */
export const cursors = sqliteTable("cursors", {
  name: text("name").primaryKey(),
  value: text("value", { mode: "json" }).$type<Cursor>().notNull(),
});
