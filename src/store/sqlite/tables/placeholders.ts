import type Database from "better-sqlite3";
import type { SQL } from "drizzle-orm";
import type { BetterSQLite3Database } from "drizzle-orm/better-sqlite3";
import type { SQLiteColumn } from "drizzle-orm/sqlite-core";
import type { CommitResult } from "../../../service/ports/store.ts";
import { sql } from "drizzle-orm";

/** The tables, through Drizzle. */
export type Tables = BetterSQLite3Database & { readonly $client: Database.Database };

/** Why a step cannot be written. */
export type Conflict = Exclude<CommitResult, { ok: true }>;

/**
 * A named hole of a prepared statement, filled with a value for this column (a JSON column writes it as JSON). The plus
 * changes nothing about the value: without it SQLite looks at the value while it plans a join, and so plans the
 * statement anew each time it is used, which takes longer than all the rest.
 */
export function placeholder(name: string, column: SQLiteColumn): SQL {
  return sql`+${sql.param(sql.placeholder(name), column)}`;
}

/** A list in a prepared statement, whatever its length: the hole takes {@link jsonList}. */
export function listPlaceholder(name: string): SQL {
  return sql`(SELECT value FROM json_each(+${sql.placeholder(name)}))`;
}

export function jsonList(items: readonly string[]): string {
  return JSON.stringify(items);
}
