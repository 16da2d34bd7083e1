import { primaryKey, sqliteTable, text } from "drizzle-orm/sqlite-core";
import type { JsonValue } from "../../../service/ports/store.ts";

/** Where a chat platform reaches people and channels. Only that platform's code understands `value`. */
export const surfaceAddresses = sqliteTable(
  "surface_addresses",
  {
    surface: text("surface").notNull(),
    key: text("key").notNull(),
    value: text("value", { mode: "json" }).$type<JsonValue>().notNull(),
  },
  (table) => [primaryKey({ columns: [table.surface, table.key] })],
);
