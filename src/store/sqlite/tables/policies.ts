import { integer, sqliteTable, text } from "drizzle-orm/sqlite-core";
import type { Policy } from "../../../core/policy/policy.ts";
import type { PolicyId } from "../../../core/values/ids.ts";

export const policies = sqliteTable("policies", {
  ord: integer("ord").primaryKey(),
  id: text("id").$type<PolicyId>().notNull().unique(),
  value: text("value", { mode: "json" }).$type<Policy>().notNull(),
});
