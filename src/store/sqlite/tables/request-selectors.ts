import { index, integer, primaryKey, sqliteTable, text } from "drizzle-orm/sqlite-core";
import { requests } from "./requests.ts";

/** Whom a request names: the selectors of its stages with their escalation, or of its break-glass review. */
export const requestSelectors = sqliteTable(
  "request_selectors",
  {
    /** As `selectorKey` writes it. */
    selector: text("selector").notNull(),
    requestOrd: integer("request_ord")
      .notNull()
      .references(() => requests.ord),
    part: text("part").$type<"stage" | "review">().notNull(),
    /** Copied from the request, so that one index serves selector and status. */
    status: text("status").notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.selector, table.requestOrd] }),
    index("request_selectors_by_part").on(table.selector, table.part, table.requestOrd),
    index("request_selectors_by_status").on(table.selector, table.part, table.status, table.requestOrd),
    index("request_selectors_by_request").on(table.requestOrd),
  ],
);
