import type Database from "better-sqlite3";
import type { Query } from "drizzle-orm";
import { assert } from "../../../core/values/assert.ts";
import { is, Param, Placeholder } from "drizzle-orm";
import type { Tables } from "./placeholders.ts";

type Values = Readonly<Record<string, unknown>>;

/** A prepared statement that changes something and says nothing but how much. */
export interface WriteStatement {
  /** @param values one for each hole, by its name. */
  readonly run: (values?: Values) => Database.RunResult;
}

/**
 * Prepares what Drizzle wrote. Drizzle itself asks of every value of every call what kind of hole it fills; here that is asked
 * once, for it takes a good part of writing a step.
 */
export function prepareWrite(tables: Tables, query: { readonly toSQL: () => Query }): WriteStatement {
  const { sql: text, params } = query.toSQL();
  const statement = tables.$client.prepare(text);
  const bound = fillingsOf(params);
  return { run: (values = {}) => statement.run(...bound(values)) };
}

/** A prepared statement that changes one row at most, and says what then stands in one column of it. */
export interface ReturningStatement<Value> {
  /** @returns undefined when it has changed nothing. */
  readonly get: (values: Values) => Value | undefined;
}

/** The same for what returns one column. */
export function prepareReturning<Value>(
  tables: Tables,
  query: { readonly toSQL: () => Query },
): ReturningStatement<Value> {
  const { sql: text, params } = query.toSQL();
  const statement = tables.$client.prepare<unknown[], Value>(text).pluck();
  const bound = fillingsOf(params);
  return { get: (values) => statement.get(...bound(values)) };
}

function fillingsOf(params: readonly unknown[]): (values: Values) => readonly unknown[] {
  const fillings = params.map(fillingOf);
  return (values) => fillings.map((fill) => fill(values));
}

/** What is bound for a parameter, as Drizzle would: what stands in the hole of its name, as its column writes it. */
function fillingOf(param: unknown): (values: Values) => unknown {
  if (is(param, Placeholder)) return valueNamed(param.name);
  if (!is(param, Param) || !is(param.value, Placeholder)) return () => param;
  const { encoder, value } = param;
  const valueIn = valueNamed(value.name);
  return (values) => encoder.mapToDriverValue(valueIn(values));
}

function valueNamed(name: string): (values: Values) => unknown {
  const claim = `there is a value for ${name}`;
  return (values) => {
    const value = values[name];
    assert(value !== undefined, claim);
    return value;
  };
}
