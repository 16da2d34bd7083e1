import Database from "better-sqlite3";
import { expect, onTestFinished, test } from "vitest";
import { everyOtherPart, everyWrite } from "../../support/every-write.ts";
import { committed, openStore, temporaryFile } from "./temporary-store.ts";

test("writes of every kind together give every column of every table a value", async () => {
  const file = temporaryFile();
  const store = await openStore({ file });
  await committed(store, ...Object.values(everyWrite).flat(), ...Object.values(everyOtherPart));
  const client = new Database(file, { readonly: true });
  onTestFinished(() => void client.close());
  const columns = client
    .prepare<[], { table: string; name: string }>(
      `SELECT t.name AS "table", c.name FROM pragma_table_list AS t JOIN pragma_table_xinfo(t.name) AS c
       WHERE t.schema = 'main' AND t.name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND t.name <> '__drizzle_migrations'`,
    )
    .all();
  expect(columns.length).toBeGreaterThan(100);
  const unwritten = columns.filter(
    ({ table, name }) => client.prepare(`SELECT count("${name}") FROM "${table}"`).pluck().get() === 0,
  );
  expect(unwritten).toEqual([]);
});
