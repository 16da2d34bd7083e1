import Database from "better-sqlite3";
import { spawn } from "node:child_process";
import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { once } from "node:events";
import { basename, dirname, join, resolve } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { openDatabase, StoreOpenError } from "../../../src/store/sqlite/file/open-database.ts";
import { ids, requestFixture, writeStep } from "../../support/fixtures.ts";
import {
  committed,
  openStore,
  temporaryFile,
  temporaryFolder,
  writeUnreleasedDatabase,
} from "./temporary-store.ts";

const migrations = resolve(import.meta.dirname, "../../../migrations/sqlite");

function modeOf(path: string): string {
  return (statSync(path).mode & 0o777).toString(8);
}

/** A database file of another program, in a private folder. */
function foreignFile(fill: (client: Database.Database) => void): string {
  const file = temporaryFile();
  mkdirSync(dirname(file), { mode: 0o700 });
  const client = new Database(file);
  fill(client);
  client.close();
  chmodSync(file, 0o600);
  return file;
}

function pragma(client: Database.Database, name: string): unknown {
  return client.pragma(name, { simple: true });
}

async function refusalOf(file: string, migrationsFolder = migrations): Promise<string> {
  const error: unknown = await openStore({ file, migrationsFolder }).catch((caught: unknown) => caught);
  if (!(error instanceof StoreOpenError)) throw new Error(`not refused: ${String(error)}`);
  return error.message;
}

const openAndWait = `
  import { openSqliteStore } from ${JSON.stringify(new URL("../../../src/store/sqlite/sqlite-store.ts", import.meta.url))};
  const opening = openSqliteStore({ file: process.argv[1], onFatal: () => process.exit(9) });
  const store = await opening.catch(String);
  console.log(typeof store === "string" ? store : "open");
  // Keeps the store reachable, because garbage collection would close it.
  setInterval(() => store.close(), 60_000);
`;

/** Opens the store in another process, which prints the result as its first line and is killed after the test. */
async function openElsewhere(
  file: string,
): Promise<{ readonly said: string; readonly kill: () => Promise<void> }> {
  const child = spawn(process.execPath, ["--input-type=module", "--eval", openAndWait, file]);
  const kill = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGKILL");
    await once(child, "exit");
  };
  onTestFinished(kill);
  const [said]: unknown[] = await once(child.stdout, "data");
  return { said: String(said), kill };
}

test("a new data folder and every file in it are readable by this account only", async () => {
  const file = temporaryFile();
  const store = await openStore({ file });
  await committed(store, writeStep([{ kind: "request", value: requestFixture("a"), dueAt: null }]));
  expect(modeOf(dirname(file))).toBe("700");
  const names = readdirSync(dirname(file));
  expect(names).toEqual(expect.arrayContaining(["jit.db", "jit.db-wal", "jit.db-shm", "lock.db"]));
  expect(names.map((name) => modeOf(join(dirname(file), name))).every((mode) => mode === "600")).toBe(true);
});

test.each([
  ["folder", (file: string) => dirname(file), 0o750],
  ["database", (file: string) => file, 0o644],
  ["lock", (file: string) => join(dirname(file), "lock.db"), 0o640],
  ["log", (file: string) => `${file}-wal`, 0o606],
])("a %s that others may look into is refused, saying how to close it", async (_what, pathOf, mode) => {
  const file = temporaryFile();
  await (await openStore({ file })).close();
  if (!existsSync(pathOf(file))) writeFileSync(pathOf(file), "");
  chmodSync(pathOf(file), mode);
  const before = readFileSync(file);
  expect(await refusalOf(file)).toMatch(new RegExp(`open to other users .*chmod [67]00 ${pathOf(file)}$`));
  expect(readFileSync(file).equals(before)).toBe(true);
});

test("a committed step is in the one file that remains after closing, and is read after opening again", async () => {
  const file = temporaryFile();
  const first = await openStore({ file });
  await committed(first, writeStep([{ kind: "request", value: requestFixture("a"), dueAt: null }]));
  await first.close();
  await first.close();
  expect(readdirSync(dirname(file)).toSorted()).toEqual(["jit.db", "lock.db"]);
  const second = await openStore({ file });
  expect((await second.request(ids.request("a")))?.request.value).toEqual(requestFixture("a"));
});

test("a second opening in the same process is refused", async () => {
  const file = temporaryFile();
  const store = await openStore({ file });
  expect(await refusalOf(file)).toContain("in use by another jit-access process");
  await committed(store, writeStep([{ kind: "request", value: requestFixture("a"), dueAt: null }]));
});

test("a second process is refused while the first lives, and may open the store after the first was killed", async () => {
  const file = temporaryFile();
  const first = await openElsewhere(file);
  expect(first.said).toBe("open\n");
  const before = readFileSync(file);
  expect(await refusalOf(file)).toContain("in use by another jit-access process");
  expect((await openElsewhere(file)).said).toContain("in use by another jit-access process");
  expect(readFileSync(file).equals(before)).toBe(true);
  await first.kill();
  await committed(
    await openStore({ file }),
    writeStep([{ kind: "request", value: requestFixture("a"), dueAt: null }]),
  );
}, 30_000);

/** A second path to a database, in a private folder. */
function pathElsewhere(name = "other.db"): string {
  const folder = join(temporaryFolder(), "elsewhere");
  mkdirSync(folder, { mode: 0o700 });
  return join(folder, name);
}

test.each([
  ["a symbolic link", (file: string, other: string) => symlinkSync(file, other)],
  [
    "links that lead on to links",
    (file: string, other: string) => {
      symlinkSync(file, `${other}.2`);
      symlinkSync(basename(`${other}.2`), other);
    },
  ],
  [
    "a linked folder",
    (file: string, other: string) => {
      rmSync(dirname(other), { recursive: true });
      symlinkSync(dirname(file), dirname(other));
    },
  ],
])("a second process that names the database by %s meets the same lock", async (_, link) => {
  const file = temporaryFile();
  const first = await openElsewhere(file);
  expect(first.said).toBe("open\n");
  const other = pathElsewhere("jit.db");
  link(file, other);
  expect((await openElsewhere(other)).said).toContain("in use by another jit-access process");
  await first.kill();
  await (await openStore({ file: other })).close();
});

test("a database that a link names before it exists is created where the link leads, with its lock and logs beside it", async () => {
  const file = temporaryFile();
  const other = pathElsewhere();
  symlinkSync(file, other);
  const store = await openStore({ file: other });
  await committed(store, writeStep([{ kind: "request", value: requestFixture("a"), dueAt: null }]));
  expect(readdirSync(dirname(file))).toEqual(expect.arrayContaining(["jit.db", "jit.db-wal", "lock.db"]));
  expect(readdirSync(dirname(other))).toEqual(["other.db"]);
});

test("links that lead in a circle are refused", async () => {
  const other = pathElsewhere();
  symlinkSync(other, other);
  expect(await refusalOf(other)).toMatch(/lead in a circle/);
});

test.each(["", "-wal", "-shm", "lock.db"])(
  "a database whose file (%s) has a second name is refused under both, and opens once that is gone",
  async (which) => {
    const file = temporaryFile();
    await (await openStore({ file })).close();
    const path = which === "lock.db" ? join(dirname(file), which) : file + which;
    if (!existsSync(path)) writeFileSync(path, "", { mode: 0o600 });
    const other = pathElsewhere();
    linkSync(path, other);
    expect(await refusalOf(file)).toMatch(/has 2 names \(hard links\).*remove the others/);
    if (which === "") expect(await refusalOf(other)).toMatch(/has 2 names/);
    rmSync(other);
    await (await openStore({ file })).close();
  },
);

test.each(["-wal", "-shm", "-journal", "lock.db"])(
  "a %s that is a symbolic link is refused",
  async (which) => {
    const file = temporaryFile();
    await (await openStore({ file })).close();
    const path = which === "lock.db" ? join(dirname(file), which) : file + which;
    rmSync(path, { force: true });
    const other = pathElsewhere();
    writeFileSync(other, "", { mode: 0o600 });
    symlinkSync(other, path);
    expect(await refusalOf(file)).toMatch(/is a symbolic link; put the file itself there/);
  },
);

test("the second name that an interrupted restore left is removed, and the database opens", async () => {
  const file = temporaryFile();
  await (await openStore({ file })).close();
  linkSync(file, `${file}.replaced-20240115`);
  await (await openStore({ file })).close();
  expect(readdirSync(dirname(file)).toSorted()).toEqual(["jit.db", "lock.db"]);
});

test("a file that is not a database is refused and left as it is", async () => {
  const file = foreignFile(() => undefined);
  for (const content of ["hello", "x".repeat(8192), `SQLite format 3\0${"x".repeat(20)}`]) {
    writeFileSync(file, content);
    expect(await refusalOf(file)).toMatch(/is not a database; it was left as it is/);
    expect(readFileSync(file, "utf8")).toBe(content);
  }
  expect(readdirSync(dirname(file))).toEqual(["jit.db"]);
});

test.each(["delete", "wal"])(
  "another program's database (%s) is refused and left as it is",
  async (journal) => {
    const file = foreignFile((client) => {
      client.pragma(`journal_mode = ${journal}`);
      client.exec("CREATE TABLE users (id INTEGER)");
    });
    const before = readFileSync(file);
    expect(await refusalOf(file)).toMatch(/is the database of another program/);
    expect(readFileSync(file).equals(before)).toBe(true);
    expect(readdirSync(dirname(file))).toEqual(["jit.db"]);
  },
);

test("a damaged database is refused with SQLite's message", async () => {
  const file = temporaryFile();
  await (await openStore({ file })).close();
  writeFileSync(file, Buffer.concat([readFileSync(file).subarray(0, 1000), Buffer.alloc(40_000, 7)]));
  expect(await refusalOf(file)).toMatch(/cannot be opened: .*malformed/);
});

test("an empty database without tables is taken over", async () => {
  const file = foreignFile((client) => {
    client.exec("CREATE TABLE gone (id INTEGER); DROP TABLE gone; VACUUM");
  });
  expect(statSync(file).size).toBeGreaterThan(0);
  expect(await (await openStore({ file })).rulebookVersion()).toBe(1);
});

test("a database made by a newer version is refused and left as it is", async () => {
  const file = temporaryFile();
  await (await openStore({ file })).close();
  const client = new Database(file);
  client.exec("INSERT INTO __drizzle_migrations (hash, created_at) VALUES ('later', 9999999999999)");
  client.close();
  const before = readFileSync(file);
  expect(await refusalOf(file)).toMatch(/written by a newer version/);
  expect(readFileSync(file).equals(before)).toBe(true);
});

test("a database from before the first release is refused with the way to export it, and left as it is", async () => {
  const file = temporaryFile();
  writeUnreleasedDatabase(file);
  const before = readFileSync(file);
  const message = await refusalOf(file);
  expect(message).toContain(`${file} was written by a version of jit-access before the first release`);
  expect(message).toMatch(/jit audit export.*empty data folder/);
  expect(readFileSync(file).equals(before)).toBe(true);
});

test("both connections have the documented durability and strictness, and the reader cannot write", () => {
  const database = openDatabase(temporaryFile(), migrations);
  onTestFinished(() => database.close());
  const { writer, reader } = database;
  expect(["journal_mode", "synchronous", "foreign_keys"].map((name) => pragma(writer, name))).toEqual([
    "wal",
    2,
    1,
  ]);
  expect(pragma(writer, "busy_timeout")).toBeLessThanOrEqual(500);
  expect(() => reader.exec("DELETE FROM requests")).toThrow(/readonly/);
});

test("only the audit table's name begins with audit, and SQL can neither change, delete nor replace its rows", () => {
  const database = openDatabase(temporaryFile(), migrations);
  onTestFinished(() => database.close());
  const { writer } = database;
  const tables = writer
    .prepare<[], { name: string }>("SELECT name FROM sqlite_master WHERE name LIKE 'audit%'")
    .all();
  expect(tables).toEqual([{ name: "audit_events" }]);
  writer.exec("INSERT INTO audit_events (seq, body, hash) VALUES (1, '{}', 'x')");
  for (const sql of [
    "UPDATE audit_events SET body = '[]'",
    "DELETE FROM audit_events",
    "INSERT OR REPLACE INTO audit_events (seq, body, hash) VALUES (1, '[]', 'y')",
  ]) {
    expect(() => writer.exec(sql)).toThrow(/only added/);
  }
  expect(writer.prepare("SELECT body FROM audit_events").all()).toEqual([{ body: "{}" }]);
});
