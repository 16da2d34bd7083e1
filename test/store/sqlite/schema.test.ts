import Database from "better-sqlite3";
import { is } from "drizzle-orm";
import { SQLiteTable } from "drizzle-orm/sqlite-core";
import { generateSQLiteDrizzleJson, generateSQLiteMigration } from "drizzle-kit/api";
import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { openDatabase } from "../../../src/store/sqlite/file/open-database.ts";
import { auditEventTriggers } from "../../../src/store/sqlite/tables/audit-events.ts";
import { temporaryFile } from "./temporary-store.ts";

const migrations = resolve(import.meta.dirname, "../../../migrations/sqlite");
const tablesFolder = resolve(import.meta.dirname, "../../../src/store/sqlite/tables");

/** Every table the source declares, found as drizzle.config.ts finds them. */
async function declaredTables(): Promise<Record<string, unknown>> {
  const modules = await Promise.all(
    readdirSync(tablesFolder).map(
      async (name): Promise<Record<string, unknown>> => import(join(tablesFolder, name)),
    ),
  );
  const tables = modules.flatMap((one) => Object.entries(one)).filter(([, value]) => is(value, SQLiteTable));
  return Object.fromEntries(tables);
}

/** What the latest migration says the tables are. */
function latestSnapshot(): Record<string, unknown> {
  const names = readdirSync(join(migrations, "meta")).filter((name) => name.endsWith("_snapshot.json"));
  return JSON.parse(readFileSync(join(migrations, "meta", names.toSorted().at(-1) ?? ""), "utf8"));
}

type Snapshot = Awaited<ReturnType<typeof generateSQLiteDrizzleJson>>;

test("the migrations lead to the tables that the source declares: generating another yields nothing", async () => {
  const declared = await generateSQLiteDrizzleJson(await declaredTables());
  const shipped = latestSnapshot() as Snapshot;
  expect(await generateSQLiteMigration(shipped, declared)).toEqual([]);
});

test("a new database has exactly the tables, indexes, options and triggers that the source declares", async () => {
  const declared = await generateSQLiteDrizzleJson(await declaredTables());
  const empty = await generateSQLiteDrizzleJson({});
  const expected = new Database(":memory:");
  onTestFinished(() => void expected.close());
  for (const statement of await generateSQLiteMigration(empty, declared)) expected.exec(statement);
  const { reader, close } = openDatabase(temporaryFile(), migrations);
  onTestFinished(close);
  expect(shapeOf(reader)).toEqual(shapeOf(expected));
  const triggers = reader.prepare("SELECT name FROM sqlite_master WHERE type = 'trigger'").pluck().all();
  expect(triggers).toEqual(auditEventTriggers.map((one) => one.name));
});

/** The tables with their columns, options, references and indexes, whatever statements they were made by. */
function shapeOf(client: Database.Database): unknown {
  const rows = (query: string, ...of: readonly unknown[]) => client.prepare(query).all(...of);
  return client
    .prepare<[], { name: string }>(
      `SELECT name, wr, strict FROM pragma_table_list
       WHERE schema = 'main' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND name <> '__drizzle_migrations' ORDER BY name`,
    )
    .all()
    .map((table) => ({
      ...table,
      columns: rows(
        `SELECT name, type, "notnull", dflt_value, pk, hidden FROM pragma_table_xinfo(?) ORDER BY name`,
        table.name,
      ),
      generated: /GENERATED ALWAYS AS[^\n]*/g[Symbol.match](sqlOf(client, table.name)),
      references: rows(
        `SELECT "table", "from", "to", on_update, on_delete FROM pragma_foreign_key_list(?) ORDER BY "from"`,
        table.name,
      ),
      indexes: rows(
        `SELECT l.name, l."unique", l.origin, m.sql FROM pragma_index_list(?) AS l
         LEFT JOIN sqlite_master AS m ON m.type = 'index' AND m.name = l.name ORDER BY l.name`,
        table.name,
      ),
    }));
}

function sqlOf(client: Database.Database, table: string): string {
  return client
    .prepare<[string], string>("SELECT sql FROM sqlite_master WHERE type = 'table' AND name = ?")
    .pluck()
    .all(table)
    .join();
}
