import { getTableColumns, sql, type SQL } from "drizzle-orm";
import type { SQLiteColumn, SQLiteTable } from "drizzle-orm/sqlite-core";

/**
 * A new row with a value for every column, the nullable ones too, so that a column nobody writes does not compile. SQLite
 * numbers `ord` itself.
 */
export type NewRow<T extends SQLiteTable> = Required<Omit<T["$inferInsert"], "ord">>;

/** A placeholder for every column of a {@link NewRow}, each named as its column. */
export type RowPlaceholders<T extends SQLiteTable> = { readonly [K in keyof NewRow<T>]: SQL };

/** What a statement that writes whole rows takes as its values: a new column is written without being mentioned. */
export function placeholdersFor<T extends SQLiteTable>(table: T): RowPlaceholders<T> {
  const columns = Object.entries(getTableColumns(table)).filter(
    ([name, column]) => name !== "ord" && column.generated === undefined,
  );
  const named = columns.map(([name, column]) => [name, placeholder(name, column)]);
  return Object.fromEntries(named);
}

/** A placeholder whose value is written as this column writes it: JSON as text, a boolean as 0 or 1. */
export function placeholder(name: string, column: SQLiteColumn): SQL {
  return sql`${sql.param(sql.placeholder(name), column)}`;
}

/** A list of any length in a prepared statement. Its value is a {@link jsonList}. */
export function listPlaceholder(name: string): SQL {
  return sql`(SELECT value FROM json_each(${sql.placeholder(name)}))`;
}

export function jsonList(items: readonly string[]): string {
  return JSON.stringify(items);
}
