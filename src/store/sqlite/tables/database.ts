import type Database from "better-sqlite3";
import type { BetterSQLite3Database } from "drizzle-orm/better-sqlite3";

/** A database connection with Drizzle's query builder. */
export type Db = BetterSQLite3Database & { readonly $client: Database.Database };
