import { index, integer, sqliteTable, text } from "drizzle-orm/sqlite-core";
import type { CredentialId, Instant } from "../../../core/values/ids.ts";
import { grants } from "./grants.ts";

/**
 * Every credential a grant ever had; at most one of them is current. What a token check answers and what never changes
 * is copied here from the grant: parsing the grant's JSON takes longer than the rest of the check.
 */
export const credentials = sqliteTable(
  "credentials",
  {
    id: text("id").$type<CredentialId>().notNull().unique(),
    /** The number of the grant's row, not its id: a check then needs one look-up less. */
    grantOrd: integer("grant_ord")
      .notNull()
      .references(() => grants.ord),
    hash: text("hash").primaryKey(),
    last4: text("last4").notNull(),
    issuedAt: integer("issued_at").$type<Instant>().notNull(),
    current: integer("current", { mode: "boolean" }).notNull(),
    firstUsedAt: integer("first_used_at").$type<Instant>(),
    /** The grant's scopes, separated by spaces. */
    scope: text("scope").notNull(),
    startedAt: integer("started_at").$type<Instant>().notNull(),
    breakGlass: integer("break_glass", { mode: "boolean" }).notNull(),
  },
  (table) => [index("credentials_by_grant").on(table.grantOrd)],
);
