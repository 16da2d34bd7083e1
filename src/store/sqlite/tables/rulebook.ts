import { integer, sqliteTable, text } from "drizzle-orm/sqlite-core";
import type { Rules } from "../../../core/policy/policy.ts";

/** One row: the rules beside the policies, and the version that covers both. */
export const rulebook = sqliteTable("rulebook", {
  id: text("id").$type<"rulebook">().primaryKey(),
  version: integer("version").notNull(),
  source: text("source").$type<"file" | "example">(),
  lockdown: integer("lockdown", { mode: "boolean" }).notNull(),
  rules: text("rules", { mode: "json" }).$type<Rules>().notNull(),
});
