import { sql } from "drizzle-orm";
import { index, integer, primaryKey, sqliteTable, text } from "drizzle-orm/sqlite-core";
import type { TargetState } from "../../../core/access/target.ts";
import type { GrantId, Instant } from "../../../core/values/ids.ts";
import { grants } from "./grants.ts";

/** What may exist at a target, until it is confirmed gone. A grant without targets has no row. */
export const grantTargets = sqliteTable(
  "grant_targets",
  {
    grantId: text("grant_id")
      .$type<GrantId>()
      .notNull()
      .references(() => grants.id),
    connector: text("connector").notNull(),
    place: text("place"),
    state: text("state").$type<TargetState>().notNull(),
    /** Since when the grant is over and this object must be removed; null while the grant needs it. */
    overSince: integer("over_since").$type<Instant>(),
  },
  (table) => [
    primaryKey({ columns: [table.grantId, table.connector] }),
    index("grant_targets_by_connector").on(table.connector, table.overSince, table.grantId),
    index("grant_targets_by_place").on(table.connector, table.place, table.state),
    index("grant_targets_over")
      .on(table.overSince, table.state)
      .where(sql`over_since IS NOT NULL`),
  ],
);
