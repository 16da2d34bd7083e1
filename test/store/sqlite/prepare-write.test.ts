import Database from "better-sqlite3";
import { expect, onTestFinished, test } from "vitest";
import { Bug } from "../../../src/core/values/assert.ts";
import { eq, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/better-sqlite3";
import { integer, sqliteTable, text } from "drizzle-orm/sqlite-core";
import { prepareReturning, prepareWrite } from "../../../src/store/sqlite/tables/prepare-write.ts";
import { placeholder } from "../../../src/store/sqlite/tables/placeholders.ts";

const things = sqliteTable("things", {
  id: text("id").primaryKey(),
  on: integer("on", { mode: "boolean" }),
  value: text("value", { mode: "json" }).$type<{ readonly words: string }>(),
  kind: text("kind"),
});

function openThings() {
  const client = new Database(":memory:");
  onTestFinished(() => void client.close());
  client.exec(`CREATE TABLE things (id TEXT PRIMARY KEY, "on" INTEGER, value TEXT, kind TEXT)`);
  const tables = drizzle(client);
  const id = placeholder("id", things.id);
  const rest = { on: placeholder("on", things.on), value: placeholder("value", things.value) };
  const insert = tables.insert(things).values({ id, ...rest, kind: "fixed" });
  const update = tables
    .update(things)
    .set({ kind: sql`${sql.placeholder("kind")}` })
    .where(eq(things.id, id));
  return { client, tables, insert, put: prepareWrite(tables, insert), update: prepareWrite(tables, update) };
}

test("a prepared write binds what Drizzle itself would: words, truth, JSON, nothing, and what was said beforehand", () => {
  const { client, insert, put } = openThings();
  const itself = insert.prepare();
  const rows = [
    { on: true, value: { words: "Ünïcode 🔑, \ud800 and \n" } },
    { on: false, value: { words: "" } },
    { on: null, value: null },
  ];
  for (const [index, row] of rows.entries()) {
    put.run({ id: `ours ${index}`, ...row });
    itself.run({ id: `theirs ${index}`, ...row });
    const [ours, theirs] = [`ours ${index}`, `theirs ${index}`].map((id) =>
      client.prepare(`SELECT "on", value, kind FROM things WHERE id = ?`).get(id),
    );
    expect(ours).toEqual(theirs);
  }
  expect(client.prepare(`SELECT "on", value, kind FROM things WHERE id = 'ours 0'`).get()).toEqual({
    on: 1,
    value: JSON.stringify(rows[0]?.value),
    kind: "fixed",
  });
});

test("it says how much it has changed, and one that lacks a value is a bug and changes nothing", () => {
  const { client, put, update } = openThings();
  put.run({ id: "a", on: true, value: null });
  expect(update.run({ id: "a", kind: "changed" }).changes).toBe(1);
  expect(update.run({ id: "b", kind: "changed" }).changes).toBe(0);
  expect(() => update.run({ id: "a" })).toThrow(Bug);
  expect(() => put.run()).toThrow(Bug);
  expect(client.prepare("SELECT id, kind FROM things").all()).toEqual([{ id: "a", kind: "changed" }]);
});

test("what returns a column says what stands there now, nothing when nothing is changed, and a missing value is a bug", () => {
  const { client, tables, put } = openThings();
  put.run({ id: "a", on: true, value: null });
  const change = prepareReturning<string>(
    tables,
    tables
      .update(things)
      .set({ kind: sql`${things.kind} || ${sql.placeholder("more")}` })
      .where(eq(things.id, placeholder("id", things.id)))
      .returning({ kind: things.kind }),
  );
  expect(change.get({ id: "a", more: "!" })).toBe("fixed!");
  expect(change.get({ id: "b", more: "!" })).toBe(undefined);
  expect(() => change.get({ id: "a" })).toThrow(Bug);
  expect(client.prepare("SELECT kind FROM things").pluck().all()).toEqual(["fixed!"]);
});
