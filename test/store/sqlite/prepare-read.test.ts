import Database from "better-sqlite3";
import { expect, onTestFinished, test } from "vitest";
import { eq } from "drizzle-orm";
import { drizzle } from "drizzle-orm/better-sqlite3";
import { integer, sqliteTable, text } from "drizzle-orm/sqlite-core";
import { prepareRead } from "../../../src/store/sqlite/tables/prepare-read.ts";
import { placeholder } from "../../../src/store/sqlite/tables/placeholders.ts";

const things = sqliteTable("things", {
  id: text("id").primaryKey(),
  on: integer("on", { mode: "boolean" }).notNull(),
  maybe: integer("maybe", { mode: "boolean" }),
  at: integer("at"),
  value: text("value", { mode: "json" }).$type<{ readonly words: string }>(),
});

function openThings() {
  const client = new Database(":memory:");
  onTestFinished(() => void client.close());
  client.exec(
    `CREATE TABLE things (id TEXT PRIMARY KEY, "on" INTEGER NOT NULL, maybe INTEGER, at INTEGER, value TEXT)`,
  );
  const tables = drizzle(client);
  const { id, on, maybe, at, value } = things;
  const itself = tables
    .select({ on, maybe, at, value })
    .from(things)
    .where(eq(id, placeholder("id", id)))
    .prepare();
  const ours = prepareRead(tables, [on, maybe, at, value], (selected) =>
    selected.from(things).where(eq(id, placeholder("id", id))),
  );
  return { tables, itself, ours };
}

test("a prepared read says what Drizzle itself would: truth, numbers, JSON and nothing", () => {
  const { tables, itself, ours } = openThings();
  const rows = [
    { id: "a", on: true, maybe: false, at: 0, value: { words: "Ünïcode 🔑 and \n" } },
    { id: "b", on: false, maybe: null, at: null, value: null },
  ];
  for (const { id, ...row } of rows) {
    tables
      .insert(things)
      .values({ id, ...row })
      .run();
    expect(itself.get({ id })).toEqual(row);
    expect(ours.get(id)).toEqual([row.on, row.maybe, row.at, row.value]);
  }
  expect(ours.get("c")).toBeUndefined();
});
