import { index, integer, primaryKey, sqliteTable, text } from "drizzle-orm/sqlite-core";
import type { Scope } from "../../../core/values/ids.ts";
import { requests } from "./requests.ts";

/** The scopes of each request, for lists by scope. */
export const requestScopes = sqliteTable(
  "request_scopes",
  {
    scope: text("scope").$type<Scope>().notNull(),
    requestOrd: integer("request_ord")
      .notNull()
      .references(() => requests.ord),
    /** Copied from the request, so that one index serves scope and status. */
    status: text("status").notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.scope, table.requestOrd] }),
    index("request_scopes_by_status").on(table.scope, table.status, table.requestOrd),
    index("request_scopes_by_request").on(table.requestOrd),
  ],
);
