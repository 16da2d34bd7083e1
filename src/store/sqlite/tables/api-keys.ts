import { index, integer, sqliteTable, text } from "drizzle-orm/sqlite-core";
import type { IdentityId, Instant, KeyId } from "../../../core/values/ids.ts";
import type { ApiKey } from "../../../service/ports/store.ts";

export const apiKeys = sqliteTable(
  "api_keys",
  {
    ord: integer("ord").primaryKey(),
    id: text("id").$type<KeyId>().notNull().unique(),
    version: integer("version").notNull(),
    identityId: text("identity_id").$type<IdentityId>().notNull(),
    /**
     * Not unique: a built-in key may return after another key with the same secret was created and deleted. A unique
     * name guards the hash of a key in use.
     */
    hash: text("hash").notNull(),
    deletedAt: integer("deleted_at").$type<Instant>(),
    value: text("value", { mode: "json" }).$type<ApiKey>().notNull(),
  },
  (table) => [index("api_keys_by_hash").on(table.hash), index("api_keys_by_identity").on(table.identityId)],
);
