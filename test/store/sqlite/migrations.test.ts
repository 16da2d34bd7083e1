import Database from "better-sqlite3";
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { migrateTables } from "../../../src/store/sqlite/file/migrate.ts";
import { openDatabase, StoreOpenError } from "../../../src/store/sqlite/file/open-database.ts";
import { requestFixture, writeStep } from "../../support/fixtures.ts";
import { committed, openStore, temporaryFile, temporaryFolder } from "./temporary-store.ts";

const migrations = resolve(import.meta.dirname, "../../../migrations/sqlite");

interface Journal {
  readonly entries: readonly { readonly when: number; readonly tag: string }[];
}

function journalIn(folder: string): Journal {
  return JSON.parse(readFileSync(join(folder, "meta", "_journal.json"), "utf8"));
}

/** A copy of these migrations, with another journal. */
function withJournal(change: (journal: Journal) => Journal, source = migrations): string {
  const folder = join(temporaryFolder(), "migrations");
  cpSync(source, folder, { recursive: true });
  writeFileSync(join(folder, "meta", "_journal.json"), JSON.stringify(change(journalIn(folder))));
  return folder;
}

/** The shipped migrations with one more behind them. */
function withMigration(sql: string, whenOffset: number): string {
  const folder = withJournal(({ entries, ...rest }) => {
    const when = Math.max(...entries.map((entry) => entry.when)) + whenOffset;
    const next = { idx: entries.length, version: "6", when, tag: "9999_next", breakpoints: true };
    return { ...rest, entries: [...entries, next] };
  });
  writeFileSync(join(folder, "9999_next.sql"), sql);
  return folder;
}

/** A database from before the migration `tag`, with these rows. */
function databaseBefore(tag: string, source: string, rows: string): string {
  const before = withJournal(({ entries, ...rest }) => {
    const index = entries.findIndex((entry) => entry.tag === tag);
    return { ...rest, entries: entries.slice(0, index) };
  }, source);
  const file = temporaryFile();
  const { writer, close } = openDatabase(file, before);
  writer.exec(rows);
  close();
  return file;
}

test("a migration that adds a column gives old rows the value that it sets", () => {
  const next = withMigration(
    `ALTER TABLE unique_names ADD COLUMN kind TEXT;--> statement-breakpoint
UPDATE unique_names SET kind = substr(name, 1, instr(name, ':') - 1);`,
    1,
  );
  const oldRow = "INSERT INTO unique_names (name, owner) VALUES ('open:a', 'jit_a')";
  const database = openDatabase(databaseBefore("9999_next", next, oldRow), next);
  onTestFinished(() => database.close());
  expect(database.reader.prepare("SELECT kind, owner FROM unique_names").all()).toEqual([
    { kind: "open", owner: "jit_a" },
  ]);
});

test("a migration that rebuilds tables keeps their rows, what refers to them, and the audit log's triggers", async () => {
  const file = temporaryFile();
  const first = await openStore({ file });
  await committed(first, writeStep([{ kind: "request", value: requestFixture("a"), dueAt: null }]));
  await first.close();
  const rebuild = ["requests", "audit_events"].map(
    (table) => `CREATE TABLE rebuilt AS SELECT * FROM ${table};--> statement-breakpoint
DROP TABLE ${table};--> statement-breakpoint
ALTER TABLE rebuilt RENAME TO ${table};`,
  );
  const unique =
    "CREATE UNIQUE INDEX again_1 ON requests (id);--> statement-breakpoint\nCREATE UNIQUE INDEX again_2 ON requests (ord);";
  const next = withMigration([...rebuild, unique].join("--> statement-breakpoint\n"), 1);
  const database = openDatabase(file, next);
  onTestFinished(() => database.close());
  expect(database.reader.prepare("SELECT count(*) AS n FROM request_scopes").get()).toEqual({ n: 1 });
  expect(database.reader.prepare("SELECT count(*) AS n FROM requests").get()).toEqual({ n: 1 });
  database.writer.exec("INSERT INTO audit_events (seq, body, hash) VALUES (1, '{}', 'x')");
  expect(() => database.writer.exec("DELETE FROM audit_events")).toThrow(/only added/);
  expect(database.writer.pragma("foreign_keys", { simple: true })).toBe(1);
});

test("a migration that breaks a reference stops the start, and every one after it", async () => {
  const file = temporaryFile();
  const first = await openStore({ file });
  await committed(first, writeStep([{ kind: "request", value: requestFixture("a"), dueAt: null }]));
  await first.close();
  const options = { file, migrationsFolder: withMigration("DELETE FROM requests;", 1) };
  await expect(openStore(options)).rejects.toThrow(/every foreign key holds/);
  // As for a process that died before it could check.
  await expect(openStore(options)).rejects.toThrow(
    /is damaged: a row of request_\w+ refers to one of requests/,
  );
});

test("a row that refers to nothing stops an update before it has begun", async () => {
  const file = temporaryFile();
  const earlier = openDatabase(file, migrations);
  earlier.writer.pragma("foreign_keys = OFF");
  earlier.writer.exec(
    "INSERT INTO request_scopes (scope, request_ord, status) VALUES ('read:a', 7, 'PENDING')",
  );
  earlier.close();
  const refused = openStore({ file, migrationsFolder: withMigration("CREATE TABLE next (id INTEGER);", 1) });
  await expect(refused).rejects.toBeInstanceOf(StoreOpenError);
  await expect(refused).rejects.toThrow(
    /is damaged: a row of request_scopes refers to one of requests that is not there. It was left as it is/,
  );
  expect(migrationsIn(file)).toBe(journalIn(migrations).entries.length);
});

test("an update for which the disk has no room is refused and leaves everything as it was", () => {
  const file = temporaryFile();
  const { writer, close } = openDatabase(file, migrations);
  const name = writer.prepare("INSERT INTO unique_names (name, owner) VALUES (?, 'jit_a')");
  for (let row = 0; row < 1_000; row++) name.run(`open:${row}`);
  writer.exec("VACUUM");
  writer.pragma(`max_page_count = ${String(writer.pragma("page_count", { simple: true }))}`);
  const rebuild = withMigration("CREATE TABLE rebuilt AS SELECT * FROM unique_names;", 1);
  const update = (): void => migrateTables(writer, rebuild);
  expect(update).toThrow(StoreOpenError);
  expect(update).toThrow(/could not be upgraded, and were left as they were .+ as much free disk space/);
  expect(writer.prepare("SELECT count(*) FROM unique_names").pluck().get()).toBe(1_000);
  close();
  expect(migrationsIn(file)).toBe(journalIn(migrations).entries.length);
});

function migrationsIn(file: string): unknown {
  const client = new Database(file, { readonly: true });
  onTestFinished(() => void client.close());
  return client.prepare("SELECT count(*) FROM __drizzle_migrations").pluck().get();
}

test("a migration that time stamps would skip stops the start instead", async () => {
  const file = temporaryFile();
  await (await openStore({ file })).close();
  const skipped = withMigration("CREATE TABLE next (id INTEGER);", -1);
  await expect(openStore({ file, migrationsFolder: skipped })).rejects.toThrow(/was not skipped/);
});

test("the shipped migrations come in the order of their time stamps", () => {
  const stamps = journalIn(migrations).entries.map((entry) => entry.when);
  expect(stamps.length).toBeGreaterThan(0);
  expect(stamps).toEqual([...new Set(stamps)].toSorted((one, other) => one - other));
});
