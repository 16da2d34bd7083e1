import { index, integer, primaryKey, sqliteTable, text } from "drizzle-orm/sqlite-core";
import type { IdentityId } from "../../../core/values/ids.ts";
import type { Identity } from "../../../core/values/identity.ts";

export const identities = sqliteTable(
  "identities",
  {
    ord: integer("ord").primaryKey(),
    id: text("id").$type<IdentityId>().notNull().unique(),
    version: integer("version").notNull(),
    /** In lower case, because addresses are compared without regard to case. */
    email: text("email"),
    managerId: text("manager_id").$type<IdentityId>(),
    managedBy: text("managed_by").$type<Identity["managedBy"]>().notNull(),
    value: text("value", { mode: "json" }).$type<Identity>().notNull(),
  },
  (table) => [
    index("identities_by_email").on(table.email),
    index("identities_by_manager").on(table.managerId),
    index("identities_by_managed_by").on(table.managedBy),
  ],
);

/** The groups of each identity, replaced as a whole with it. */
export const identityGroups = sqliteTable(
  "identity_groups",
  {
    groupName: text("group_name").notNull(),
    identityId: text("identity_id")
      .$type<IdentityId>()
      .notNull()
      .references(() => identities.id),
  },
  (table) => [
    primaryKey({ columns: [table.groupName, table.identityId] }),
    index("identity_groups_by_identity").on(table.identityId),
  ],
);
