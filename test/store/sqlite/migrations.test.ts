import Database from "better-sqlite3";
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { instant } from "../../../src/core/values/ids.ts";
import { migrateTables } from "../../../src/store/sqlite/file/migrate.ts";
import { openDatabase, StoreOpenError } from "../../../src/store/sqlite/file/open-database.ts";
import {
  credentialFixture,
  grantFixture,
  hashOf,
  identityFixture,
  ids,
  requestFixture,
  scope,
  writing,
} from "../../support/fixtures.ts";
import { committed, openStore, temporaryFile, temporaryFolder } from "./temporary-store.ts";

const migrations = resolve(import.meta.dirname, "../../../migrations/sqlite");

interface Journal {
  readonly entries: readonly { readonly when: number; readonly tag: string }[];
}

function journalIn(folder: string): Journal {
  return JSON.parse(readFileSync(join(folder, "meta", "_journal.json"), "utf8"));
}

/** A copy of the shipped migrations, with another journal. */
function withJournal(change: (journal: Journal) => Journal): string {
  const folder = join(temporaryFolder(), "migrations");
  cpSync(migrations, folder, { recursive: true });
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

/** The shipped migrations as they were up to this one. */
function until(tag: string): string {
  return withJournal(({ entries, ...rest }) => {
    const shipped = entries.slice(0, entries.findIndex((entry) => entry.tag === tag) + 1);
    expect(shipped.at(-1)?.tag).toBe(tag);
    return { ...rest, entries: shipped };
  });
}

test("a migration that rebuilds tables keeps their rows, what refers to them, and the audit log's triggers", async () => {
  const file = temporaryFile();
  const first = await openStore({ file });
  await committed(first, writing([{ kind: "request", value: requestFixture("a"), dueAt: null }]));
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
  await committed(first, writing([{ kind: "request", value: requestFixture("a"), dueAt: null }]));
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
  const earlier = openDatabase(file, until("0002_credentials_by_hash"));
  fillAsBefore(earlier.writer);
  earlier.writer.pragma("foreign_keys = OFF");
  earlier.writer.exec("DELETE FROM requests WHERE id = 'jit_b'");
  earlier.close();
  const refused = openStore({ file });
  await expect(refused).rejects.toBeInstanceOf(StoreOpenError);
  await expect(refused).rejects.toThrow(
    /is damaged: a row of grants refers to one of requests that is not there. It was left as it is/,
  );
  expect(migrationsIn(file)).toBe(3);
});

test("an update for which the disk has no room is refused and leaves everything as it was", () => {
  const file = temporaryFile();
  const { writer, close } = openDatabase(file, until("0002_credentials_by_hash"));
  fillAsBefore(writer);
  writer.exec("VACUUM");
  writer.pragma(`max_page_count = ${String(writer.pragma("page_count", { simple: true }))}`);
  const update = (): void => migrateTables(writer, migrations);
  expect(update).toThrow(StoreOpenError);
  expect(update).toThrow(/could not be brought up to date, and were left as they were .+ is the disk full\?/);
  expect(writer.prepare("SELECT count(*) FROM credentials WHERE grant_id = 'gr_b'").pluck().get()).toBe(2);
  close();
  expect(migrationsIn(file)).toBe(3);
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

test("a database of an earlier version keeps its tokens: each opens its own grant, and a replaced one nothing", async () => {
  const file = temporaryFile();
  const earlier = openDatabase(file, until("0002_credentials_by_hash"));
  fillAsBefore(earlier.writer);
  earlier.close();
  const store = await openStore({ file });
  const found = await Promise.all(
    ["old-b", "new-b", "a", "nobody's"].map(async (token) => store.credential(hashOf(token))),
  );
  expect(
    found.map((one) => one && [one.credentialId, one.grant.requestId, one.identity.id, one.current]),
  ).toEqual([
    ["cred_old-b", "jit_b", "id_ben", false],
    ["cred_new-b", "jit_b", "id_ben", true],
    ["cred_a", "jit_a", "id_ann", true],
    undefined,
  ]);
  expect(found.map((one) => one && [one.grant.scope, one.grant.breakGlass])).toEqual([
    ["write:prod:orders-db read:prod:orders-db", true],
    ["write:prod:orders-db read:prod:orders-db", true],
    ["read:prod:orders-db", false],
    undefined,
  ]);
  const { phase, startedAt, expiresAt } = grantFixture("b");
  expect(found[1]).toMatchObject({
    last4: "wxyz",
    firstUsedAt: null,
    grant: { phase, startedAt, expiresAt },
  });
});

test("a database of an earlier version keeps its waiting requests: none counts as stranded, each can become so", async () => {
  const file = temporaryFile();
  const earlier = openDatabase(file, until("0004_claims_of_credentials"));
  const request = requestFixture("a");
  earlier.writer
    .prepare(
      `INSERT INTO requests (id, version, subject_id, requested_by_id, requested_at, status, lapses_at, broke_glass, value)
       VALUES (?, 1, ?, ?, ?, 'PENDING', ?, 0, ?)`,
    )
    .run(
      request.id,
      request.subjectId,
      request.requestedById,
      request.requestedAt,
      request.approvalDeadline,
      JSON.stringify(request),
    );
  earlier.close();
  const store = await openStore({ file });
  expect((await store.waitingRequests(0, 9)).map((one) => one.request)).toEqual([request]);
  const now = request.requestedAt;
  expect(await store.strandedRequests(now)).toBe(0);
  const stranded = { ...request, stranded: { since: now, stage: 1, until: null } };
  await committed(store, writing([{ kind: "request", value: stranded, dueAt: null }], { jit_a: 1 }));
  expect(await store.strandedRequests(now)).toBe(1);
});

test("a database of an earlier version has its requests in every list, and counts what is active", async () => {
  const file = temporaryFile();
  const earlier = openDatabase(file, until("0007_notes"));
  const rows = [
    ["a", 1_000, "DENIED"],
    ["b", 3_000, "ACTIVE"],
    // The clock had been ahead before it.
    ["c", 2_000, "PENDING"],
  ] as const;
  for (const [index, [tail, requestedAt, status]] of rows.entries()) {
    const ord = index + 1;
    const request = requestFixture(tail, { requestedAt: instant(requestedAt), scopes: [scope("read:a")] });
    earlier.writer
      .prepare(
        "INSERT INTO requests (ord, id, version, subject_id, requested_by_id, requested_at, status, broke_glass, value) VALUES (?, ?, 1, 'id_dev', 'id_dev', ?, ?, 0, ?)",
      )
      .run(ord, request.id, requestedAt, status, JSON.stringify(request));
    earlier.writer.prepare("INSERT INTO request_scopes VALUES ('read:a', ?)").run(ord);
    earlier.writer.prepare("INSERT INTO request_selectors VALUES ('group:dba', ?, 'stage')").run(ord);
  }
  earlier.writer
    .prepare(
      "INSERT INTO grants (id, version, request_id, subject_id, phase, expires_at, value) VALUES ('gr_b', 1, 'jit_b', 'id_dev', 'ACTIVE', 9000, ?)",
    )
    .run(JSON.stringify(grantFixture("b")));
  earlier.close();
  const store = await openStore({ file });
  const found = async (filter: object) => {
    const page = await store.requests({ now: instant(4_000), ...filter }, { limit: 9 });
    return page.rows.map((row) => row.request.value.id);
  };
  const viewer = { id: ids.identity("ann"), selectors: ["group:dba"] };
  expect(await found({ scope: scope("read:a"), status: "ACTIVE" })).toEqual(["jit_b"]);
  expect(await found({ approver: viewer, status: "DENIED" })).toEqual(["jit_a"]);
  expect(await found({ since: instant(2_000) })).toEqual(["jit_c", "jit_b"]);
  expect(await found({ until: instant(2_500) })).toEqual(["jit_c", "jit_a"]);
  expect(await store.activeGrants(instant(4_000))).toBe(1);
});

test("a living token that is tied to another's grant opens nothing", async () => {
  const file = temporaryFile();
  const earlier = openDatabase(file, until("0002_credentials_by_hash"));
  fillAsBefore(earlier.writer);
  earlier.writer.prepare("UPDATE credentials SET grant_id = 'gr_a' WHERE id = 'cred_new-b'").run();
  earlier.close();
  const store = await openStore({ file });
  expect(await store.credential(hashOf("new-b"))).toMatchObject({ current: false });
  expect(await store.credential(hashOf("a"))).toMatchObject({ current: true, grant: { requestId: "jit_a" } });
});

/** Two people with access, one of whose tokens was replaced: rows as they were until 0003, grants not in the order of their ids. */
function fillAsBefore(client: Database.Database): void {
  const person = client.prepare(
    "INSERT INTO identities (id, version, email, managed_by, value) VALUES (?, 1, ?, 'api', ?)",
  );
  const request = client.prepare(
    "INSERT INTO requests (id, version, subject_id, requested_by_id, requested_at, status, broke_glass, value) VALUES (?, 1, ?, ?, 0, 'ACTIVE', 0, '{}')",
  );
  const grant = client.prepare(
    "INSERT INTO grants (id, version, request_id, subject_id, phase, expires_at, value) VALUES (?, 1, ?, ?, 'ACTIVE', ?, ?)",
  );
  const credential = client.prepare(
    "INSERT INTO credentials (id, grant_id, hash, current, first_used_at, value) VALUES (?, ?, ?, ?, NULL, ?)",
  );
  for (const [tail, owner, token] of [
    ["b", "ben", "new-b"],
    ["a", "ann", "a"],
  ] as const) {
    const { id: subjectId, ...rest } = identityFixture(owner);
    const fixture = grantFixture(tail, {
      subjectId,
      ...(tail === "b" && {
        scopes: [scope("write:prod:orders-db"), scope("read:prod:orders-db")],
        breakGlass: true,
      }),
    });
    const held = { ...fixture, credential: { ...fixture.credential, id: ids.credential(token) } };
    person.run(subjectId, rest.email, JSON.stringify({ id: subjectId, ...rest }));
    request.run(held.requestId, subjectId, subjectId);
    grant.run(held.id, held.requestId, subjectId, held.expiresAt, JSON.stringify(held));
  }
  for (const [token, grantTail, current] of [
    ["old-b", "b", 0],
    ["new-b", "b", 1],
    ["a", "a", 1],
  ] as const) {
    const value = credentialFixture(token);
    credential.run(value.id, ids.grant(grantTail), hashOf(token), current, JSON.stringify(value));
  }
}
