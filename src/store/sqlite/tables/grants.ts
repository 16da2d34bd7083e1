import { sql } from "drizzle-orm";
import { index, integer, sqliteTable, text } from "drizzle-orm/sqlite-core";
import type { Grant } from "../../../core/access/grant.ts";
import type { GrantId, IdentityId, Instant, RequestId } from "../../../core/values/ids.ts";
import { requests } from "./requests.ts";

export const grants = sqliteTable(
  "grants",
  {
    ord: integer("ord").primaryKey(),
    id: text("id").$type<GrantId>().notNull().unique(),
    version: integer("version").notNull(),
    requestId: text("request_id")
      .$type<RequestId>()
      .notNull()
      .references(() => requests.id),
    subjectId: text("subject_id").$type<IdentityId>().notNull(),
    phase: text("phase").$type<Grant["phase"]>().notNull(),
    /** When time alone ends this phase: the end of an active grant, or when a prepared one is abandoned. */
    expiresAt: integer("expires_at").$type<Instant>().notNull(),
    value: text("value", { mode: "json" }).$type<Grant>().notNull(),
  },
  (table) => [
    index("grants_due")
      .on(table.expiresAt, table.phase)
      .where(sql`phase IN ('PREPARING', 'ACTIVE')`),
  ],
);
