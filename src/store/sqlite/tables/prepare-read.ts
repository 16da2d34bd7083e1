import type Database from "better-sqlite3";
import type { Query } from "drizzle-orm";
import type { SQLiteColumn, SQLiteSelectBuilder } from "drizzle-orm/sqlite-core";
import { Column } from "drizzle-orm";
import type { Tables } from "./placeholders.ts";

/** What is selected, in this order. */
type Columns = readonly SQLiteColumn[];

type RowOf<C extends Columns> = {
  -readonly [K in keyof C]: C[K]["_"]["data"] | (C[K]["_"]["notNull"] extends true ? never : null);
};

type Selected = SQLiteSelectBuilder<Record<string, SQLiteColumn>, "sync", Database.RunResult>;

/** A prepared statement that finds one row at most, and says its columns in their order. */
export interface ReadStatement<Row> {
  /** @param values one for each hole, in their order, as the driver takes them. */
  readonly get: (...values: readonly unknown[]) => Row | undefined;
  readonly getQuery: () => Query;
}

/**
 * Prepares what Drizzle writes. Drizzle itself asks of every value of every row how it is to be read; here that is asked
 * once, for it takes a good part of what is read at every check.
 *
 * @param query goes on where these columns are selected: from which tables, and which row.
 */
export function prepareRead<const C extends Columns>(
  tables: Tables,
  columns: C,
  query: (selected: Selected) => { readonly toSQL: () => Query },
): ReadStatement<RowOf<C>> {
  // Whole numbers as names: an object keeps those in ascending order, so that a row has the order of `columns`.
  const selected = tables.select(Object.fromEntries(columns.entries()));
  const { sql: text, params } = query(selected).toSQL();
  const statement = tables.$client.prepare<unknown[], RowOf<C>>(text).raw();
  const translated = columns.flatMap((column, index) =>
    column.mapFromDriverValue === Column.prototype.mapFromDriverValue ? [] : [{ index, column }],
  );
  const translate = (row: unknown[]): void => {
    for (const { index, column } of translated) {
      const value = row[index];
      if (value !== null) row[index] = column.mapFromDriverValue(value);
    }
  };
  return {
    get: (...values) => {
      const row = statement.get(...values);
      if (row !== undefined) translate(row);
      return row;
    },
    getQuery: () => ({ sql: text, params }),
  };
}
