import type Database from "better-sqlite3";
import type { Query } from "drizzle-orm";
import { assert } from "../core/assert.ts";
import { is, Param, Placeholder } from "./drizzle.ts";
import type { Tables } from "./tables.ts";

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
  const fillings = params.map(fillingOf);
  return { run: (values = {}) => statement.run(...fillings.map((fill) => fill(values))) };
}

/** What is bound for a parameter, as Drizzle would: what stands in the hole of its name, as its column writes it. */
function fillingOf(param: unknown): (values: Values) => unknown {
  if (is(param, Placeholder)) return (values) => valueOf(values, param.name);
  if (!is(param, Param) || !is(param.value, Placeholder)) return () => param;
  const { encoder, value } = param;
  return (values) => encoder.mapToDriverValue(valueOf(values, value.name));
}

function valueOf(values: Values, name: string): unknown {
  assert(name in values, `there is a value for ${name}`);
  return values[name];
}
