import type * as Ids from "../../../core/values/ids.ts";
import type { Identity } from "../../../core/values/identity.ts";
import type { ApiKey } from "../../../service/ports/store.ts";
import { index, integer, primaryKey, sqliteTable, text } from "drizzle-orm/sqlite-core";

/** The tables of people, programs and their keys; see schema.ts. */

export const identities = sqliteTable(
  "identities",
  {
    ord: integer("ord").primaryKey(),
    id: text("id").$type<Ids.IdentityId>().notNull().unique(),
    version: integer("version").notNull(),
    /** In lower case, for addresses are compared so. */
    email: text("email"),
    managerId: text("manager_id").$type<Ids.IdentityId>(),
    managedBy: text("managed_by").notNull(),
    value: text("value", { mode: "json" }).$type<Identity>().notNull(),
  },
  (table) => [
    index("identities_by_email").on(table.email),
    index("identities_by_manager").on(table.managerId),
    index("identities_of_file").on(table.managedBy),
  ],
);

export const identityGroups = sqliteTable(
  "identity_groups",
  {
    groupName: text("group_name").notNull(),
    identityId: text("identity_id")
      .$type<Ids.IdentityId>()
      .notNull()
      .references(() => identities.id),
  },
  (table) => [
    primaryKey({ columns: [table.groupName, table.identityId] }),
    index("identity_groups_by_identity").on(table.identityId),
  ],
);

export const apiKeys = sqliteTable(
  "api_keys",
  {
    ord: integer("ord").primaryKey(),
    id: text("id").$type<Ids.KeyId>().notNull().unique(),
    version: integer("version").notNull(),
    identityId: text("identity_id").$type<Ids.IdentityId>().notNull(),
    /** Not unique here: a built-in key may come back after another took its place. Living ones are guarded by name. */
    hash: text("hash").notNull(),
    deletedAt: integer("deleted_at").$type<Ids.Instant>(),
    value: text("value", { mode: "json" }).$type<ApiKey>().notNull(),
  },
  (table) => [index("api_keys_by_hash").on(table.hash), index("api_keys_by_identity").on(table.identityId)],
);
