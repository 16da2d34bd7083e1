import {
  chmodSync,
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { autoBelow, staff } from "../support/company-config.ts";
import { leavesNothingBehind, temporaryFolder } from "../support/leftover-processes.ts";
import { startProgram } from "../support/program.ts";
import { writeUnreleasedDatabase } from "../store/sqlite/temporary-store.ts";
import { actionsIn, installation, maintain, modeOf, namesIn, tamper } from "./support/maintenance.ts";

leavesNothingBehind();

const scopes = ["read:dev:billing"];
const config = { identities: staff, policies: [autoBelow("dev:")] };
const installed = installation(config, scopes);

let backup = "";
beforeAll(async () => {
  const folder = installed();
  expect((await maintain(folder, ["backup", "copy.db"])).error).toBe("");
  backup = join(folder, "copy.db");
});

/** An installation with a backup of it. */
function backedUp(): { readonly folder: string; readonly database: string; readonly copy: string } {
  const folder = installed();
  const copy = join(folder, "copy.db");
  copyFileSync(backup, copy);
  return { folder, database: join(folder, "data/jit.db"), copy };
}

test("the service goes on from the backup: what was given is there, and what ended later is active again", async () => {
  const program = await startProgram({ config });
  const dev = await program.person("dev");
  const { id, credential } = (await dev.ask({ scopes })).body;
  const made = await maintain(program.folder, ["backup", "copy.db"]);
  await program.admin.call("POST", `/api/v1/credentials/jit/${id}/revoke`, { reason: "after the backup" });
  expect((await program.check(credential.token, ...scopes)).http).toBe(401);
  await program.stop();

  const said = await maintain(program.folder, ["restore", "copy.db"]);
  expect(said).toMatchObject({ code: 0, error: "" });
  expect([said.word("records"), said.word("head")]).toEqual([made.word("records"), made.word("head")]);
  expect(said.out).toContain("is active again");
  expect(modeOf(join(program.folder, "data/jit.db"))).toBe("600");

  const again = await startProgram({ folder: program.folder });
  expect((await again.check(credential.token, ...scopes)).http).toBe(200);
  const audit = await again.audit();
  expect(audit[Number(made.word("records")) - 1]?.hash).toBe(made.word("head"));
  expect(audit.map(({ action }) => action)).not.toContain("grant.revoked");
  expect(actionsIn(said.word("before"))).toContain("grant.revoked");
  await again.stop();
});

test("a restore is refused while a service runs, and changes nothing", async () => {
  const program = await startProgram({ config });
  await maintain(program.folder, ["backup", "copy.db"]);
  const names = namesIn(join(program.folder, "data"));
  const said = await maintain(program.folder, ["restore", "copy.db"]);
  expect(said).toMatchObject({ code: 1, out: "" });
  expect(said.error).toMatch(
    /^The data folder .* is in use by another jit-access process; stop it first\.\n$/,
  );
  expect(namesIn(join(program.folder, "data"))).toEqual(names);
  expect((await program.call("GET", "/readyz")).http).toBe(200);
  await program.stop();
});

test("a restore without a data folder creates it for this account only", async () => {
  const { copy } = backedUp();
  chmodSync(copy, 0o644);
  const folder = temporaryFolder();
  const said = await maintain(folder, ["restore", copy], { DATABASE_URL: "file:new/place/jit.db" });
  expect(said).toMatchObject({ code: 0, error: "" });
  expect(said.word("before")).toBe("");
  const place = join(folder, "new/place");
  expect([modeOf(place), modeOf(join(place, "jit.db"))]).toEqual(["700", "600"]);
  expect(namesIn(place)).toEqual(["audit-head", "jit.db", "lock.db"]);
});

test("the kept database contains what a killed service had committed, and the restored one contains none of it", async () => {
  const program = await startProgram({ config });
  await maintain(program.folder, ["backup", "copy.db"]);
  await (await program.person("dev")).ask({ scopes });
  await program.kill();
  expect(existsSync(join(program.folder, "data/jit.db-wal"))).toBe(true);
  const said = await maintain(program.folder, ["restore", "copy.db"]);
  expect(said.code).toBe(0);
  expect(namesIn(join(program.folder, "data")).filter((name) => /-(wal|shm|journal)$/.test(name))).toEqual(
    [],
  );
  expect(actionsIn(said.word("before"))).toContain("grant.started");
  expect(actionsIn(join(program.folder, "data/jit.db"))).not.toContain("grant.started");
  const again = await startProgram({ folder: program.folder });
  expect((await again.admin.call("GET", "/api/v1/audit/verify")).body.ok).toBe(true);
  await again.stop();
});

test.each([
  ["is cut off", (file: string) => truncateSync(file, 20_000)],
  ["is no database any more", (file: string) => writeFileSync(file, "x".repeat(9_000))],
  ["is empty", (file: string) => truncateSync(file, 0)],
])("over a database that %s; it is kept as it was, with what lay beside it", async (_, damage) => {
  const { folder, database, copy } = backedUp();
  damage(database);
  writeFileSync(`${database}-wal`, "a log of something else");
  const before = readFileSync(database);
  const said = await maintain(folder, ["restore", copy]);
  expect(said).toMatchObject({ code: 0, error: "" });
  const kept = said.word("before");
  expect(kept).toMatch(/jit\.db\.replaced-\d{8}T\d{9}Z$/);
  if (before.length > 0) expect(readFileSync(kept).equals(before)).toBe(true);
  expect(existsSync(`${database}-wal`)).toBe(false);
  expect(actionsIn(database)).toContain("grant.started");
  if (before.toString("latin1", 0, 1) === "x") {
    expect(readFileSync(`${kept}-wal`, "utf8")).toBe("a log of something else");
  }
});

test("two restores keep two databases", async () => {
  const { folder, copy } = backedUp();
  const kept = [await maintain(folder, ["restore", copy]), await maintain(folder, ["restore", copy])];
  expect(new Set(kept.map((said) => said.word("before"))).size).toBe(2);
  for (const said of kept) expect(existsSync(said.word("before"))).toBe(true);
});

test("files that a killed restore left behind do not prevent the next one", async () => {
  const { folder, database, copy } = backedUp();
  writeFileSync(`${database}.restoring`, "half");
  writeFileSync(`${database}.restoring-wal`, "half");
  expect((await maintain(folder, ["restore", copy])).code).toBe(0);
  expect(namesIn(join(folder, "data")).filter((name) => name.includes("restoring"))).toEqual([]);
});

test.each([
  ["is not there", (copy: string) => rmSync(copy), /^There is no file /],
  ["is a folder", (copy: string) => (rmSync(copy), mkdirSync(copy)), /is not a backup of jit-access/],
  ["is empty", (copy: string) => truncateSync(copy, 0), /is not a backup of jit-access/],
  [
    "is no database",
    (copy: string) => writeFileSync(copy, "hello".repeat(100)),
    /is not a backup of jit-access/,
  ],
  [
    "is another program's",
    (copy: string) => (
      rmSync(copy),
      tamper(copy, (client) => client.exec("CREATE TABLE users (id INTEGER)"))
    ),
    /is not a backup of jit-access/,
  ],
  ["is cut off", (copy: string) => truncateSync(copy, 50_000), /copy\.db is damaged: /],
  [
    "is damaged inside",
    (copy: string) => writeFileSync(copy, readFileSync(copy).fill(7, 8_192, 40_000)),
    /copy\.db is damaged: /,
  ],
  [
    "has lost its audit log",
    (copy: string) => tamper(copy, (client) => client.exec("DROP TABLE audit_events")),
    /copy\.db is damaged: .*audit_events/,
  ],
  [
    "is newer than this program",
    (copy: string) =>
      tamper(copy, (client) =>
        client.exec("INSERT INTO __drizzle_migrations (hash, created_at) VALUES ('later', 9999999999999)"),
      ),
    /written by a newer version/,
  ],
  [
    "is from before the first release",
    writeUnreleasedDatabase,
    /copy\.db was written by .* before the first release/,
  ],
  [
    "has a tampered audit log",
    (copy: string) =>
      tamper(copy, (client) => {
        client.exec("DROP TRIGGER refuse_deleted_audit_event");
        client.exec("DELETE FROM audit_events WHERE seq = 3");
      }),
    /was not restored: record 3 of the \d+ in its audit log does not fit \(gap\)/,
  ],
  [
    "lies partly in a log",
    (copy: string) => writeFileSync(`${copy}-wal`, "x"),
    /is not complete: part of it is in .*-wal/,
  ],
  [
    "is the database itself",
    (copy: string, database: string) => (rmSync(copy), linkSync(database, copy)),
    /is the database itself/,
  ],
])("a backup that %s is refused with one sentence, and nothing changes", async (_, spoil, sentence) => {
  const { folder, database, copy } = backedUp();
  spoil(copy, database);
  const before = readFileSync(database);
  const names = namesIn(join(folder, "data"));
  const said = await maintain(folder, ["restore", copy]);
  expect(said).toMatchObject({ code: 1, out: "" });
  expect(said.error.trimEnd()).toMatch(sentence);
  expect(said.error.trimEnd()).not.toContain("\n");
  expect(readFileSync(database).equals(before)).toBe(true);
  expect(namesIn(join(folder, "data"))).toEqual(names);
});

test("another program's database is never replaced", async () => {
  const { folder, database, copy } = backedUp();
  rmSync(database);
  tamper(database, (client) => client.exec("CREATE TABLE users (id INTEGER)"));
  const before = readFileSync(database);
  const said = await maintain(folder, ["restore", copy]);
  expect(said).toMatchObject({ code: 1, out: "" });
  expect(said.error).toMatch(/is the database of another program/);
  expect(readFileSync(database).equals(before)).toBe(true);
});

test("a data folder that other users may open is refused", async () => {
  const { folder, copy } = backedUp();
  chmodSync(join(folder, "data"), 0o755);
  const said = await maintain(folder, ["restore", copy]);
  expect(said).toMatchObject({ code: 1, out: "" });
  expect(said.error).toMatch(/is open to other users .*chmod 700/);
});

test("a copy of the whole folder of a stopped service can be restored too", async () => {
  const { folder, database } = backedUp();
  copyFileSync(database, join(folder, "plain.db"));
  expect(await maintain(folder, ["restore", "plain.db"])).toMatchObject({ code: 0, error: "" });
});
