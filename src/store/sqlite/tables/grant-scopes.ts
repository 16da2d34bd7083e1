import { index, integer, sqliteTable, text } from "drizzle-orm/sqlite-core";
import type { GrantId, IdentityId, Instant, RequestId, Scope } from "../../../core/values/ids.ts";
import { grants } from "./grants.ts";

/** When access to each scope started, for conditions on earlier access. */
export const grantScopes = sqliteTable(
  "grant_scopes",
  {
    grantId: text("grant_id")
      .$type<GrantId>()
      .notNull()
      .references(() => grants.id),
    requestId: text("request_id").$type<RequestId>().notNull(),
    subjectId: text("subject_id").$type<IdentityId>().notNull(),
    scope: text("scope").$type<Scope>().notNull(),
    startedAt: integer("started_at").$type<Instant>().notNull(),
    breakGlass: integer("break_glass", { mode: "boolean" }).notNull(),
  },
  (table) => [index("grant_scopes_by_start").on(table.subjectId, table.scope, table.startedAt)],
);
