import { sqliteTable, text } from "drizzle-orm/sqlite-core";

/** Names that only one owner may hold. */
export const uniqueNames = sqliteTable("unique_names", {
  name: text("name").primaryKey(),
  owner: text("owner").notNull(),
});
