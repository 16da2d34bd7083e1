import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";
import { autoBelow, manyCalls, staff } from "../support/company-config.ts";
import { leavesNothingBehind, temporaryFolder } from "../support/leftover-processes.ts";
import { startProgram } from "../support/program.ts";
import { writeUnreleasedDatabase } from "../store/sqlite/temporary-store.ts";
import { installation, maintain, modeOf, namesIn, tamper } from "./support/maintenance.ts";

leavesNothingBehind();

const config = {
  identities: staff,
  policies: [autoBelow("dev:")],
  limits: { pendingPerIdentity: 1_000, activePerIdentity: 1_000 },
};
const scopes = ["read:dev:billing"];

const installed = installation(config, scopes);

test("a backup of a running service is a verified snapshot that only this account can read", async () => {
  const program = await startProgram({ config, env: manyCalls });
  const dev = await program.person("dev");
  const { body } = await dev.ask({ scopes });
  const done = new AbortController();
  const writing = (async () => {
    let count = 0;
    while (!done.signal.aborted) {
      const asked = await dev.ask({ scopes, reason: `call ${++count}` });
      expect(asked.http).toBe(201);
    }
    return count;
  })();
  const target = join(program.folder, "copy.db");
  const said = await maintain(program.folder, ["backup", target]);
  done.abort();
  expect(await writing).toBeGreaterThan(0);
  expect(said).toMatchObject({ code: 0, error: "" });
  expect(said.word("backup")).toBe(target);
  expect({ mode: modeOf(target), names: namesIn(program.folder) }).toEqual({
    mode: "600",
    names: ["copy.db", "data", "jit.yaml"],
  });
  // Its head is a record of the service's own log: everything up to there is in the copy, and nothing half.
  const records = await program.audit();
  expect(records[Number(said.word("records")) - 1]?.hash).toBe(said.word("head"));
  expect(records.length).toBeGreaterThan(Number(said.word("records")));
  expect((await program.check(body.credential.token, ...scopes)).http).toBe(200);
  await program.stop();
});

test("a backup of a stopped service leaves no file but the copy", async () => {
  const folder = installed();
  const before = namesIn(join(folder, "data"));
  const said = await maintain(folder, ["backup", "copy.db"]);
  expect(said.code).toBe(0);
  expect(namesIn(join(folder, "data"))).toEqual(before);
  expect(readFileSync(join(folder, "copy.db")).length).toBeGreaterThan(0);
});

test("a backup contains what a killed service left in its write-ahead log", async () => {
  const program = await startProgram({ config });
  await (await program.person("dev")).ask({ scopes });
  const { length } = await program.audit();
  await program.kill();
  const said = await maintain(program.folder, ["backup", "copy.db"]);
  expect(Number(said.word("records"))).toBeGreaterThanOrEqual(length);
});

test("an existing file is never overwritten", async () => {
  const folder = installed();
  for (const name of ["kept.txt", "jit.yaml", "data/jit.db"]) {
    const file = join(folder, name);
    if (!existsSync(file)) writeFileSync(file, "kept");
    const before = readFileSync(file);
    const said = await maintain(folder, ["backup", file]);
    expect(said).toMatchObject({ code: 1, out: "" });
    expect(said.error).toBe(`${file} exists already and was left as it is; name a new file.\n`);
    expect(readFileSync(file).equals(before)).toBe(true);
  }
});

test.each([
  [
    "there is no database",
    async () => temporaryFolder(),
    /^There is no database of jit-access at .*data\/jit\.db\.$/,
  ],
  [
    "it is another program's",
    async () => {
      const folder = temporaryFolder();
      mkdirSync(join(folder, "data"));
      tamper(join(folder, "data/jit.db"), (client) => client.exec("CREATE TABLE users (id INTEGER)"));
      return folder;
    },
    /^There is no database of jit-access at /,
  ],
  [
    "it is damaged",
    async () => {
      const folder = installed();
      const file = join(folder, "data/jit.db");
      const content = readFileSync(file);
      writeFileSync(file, content.fill(7, 8_192, 40_000));
      return folder;
    },
    /damaged: |malformed/,
  ],
  [
    "a newer version has changed it",
    async () => {
      const folder = installed();
      tamper(join(folder, "data/jit.db"), (client) =>
        client.exec("INSERT INTO __drizzle_migrations (hash, created_at) VALUES ('later', 9999999999999)"),
      );
      return folder;
    },
    /written by a newer version/,
  ],
  [
    "it is from before the first release",
    async () => {
      const folder = installed();
      writeUnreleasedDatabase(join(folder, "data/jit.db"));
      return folder;
    },
    /before the first release/,
  ],
])("when %s, one sentence says so and nothing is left behind", async (_, prepare, sentence) => {
  const folder = await prepare();
  const names = namesIn(folder);
  const said = await maintain(folder, ["backup", "copy.db"]);
  expect(said).toMatchObject({ code: 1, out: "" });
  expect(said.error.trimEnd()).toMatch(sentence);
  expect(said.error.trimEnd()).not.toContain("\n");
  expect(namesIn(folder)).toEqual(names);
});

test("a backup into a folder that does not exist fails with one sentence", async () => {
  const folder = installed();
  const said = await maintain(folder, ["backup", "nowhere/copy.db"]);
  expect(said).toMatchObject({ code: 1, out: "" });
  expect(said.error).toMatch(
    /nowhere\/copy\.db cannot be created or read: it, or its folder, does not exist\.\n$/,
  );
});

test("a copy with a tampered audit log is kept as evidence, and the first bad record is named", async () => {
  const folder = installed();
  tamper(join(folder, "data/jit.db"), (client) => {
    client.exec("DROP TRIGGER refuse_changed_audit_event");
    client.exec('UPDATE audit_events SET body = replace(body, \'"at":"20\', \'"at":"19\') WHERE seq = 5');
  });
  const said = await maintain(folder, ["backup", "copy.db"]);
  expect(said).toMatchObject({ code: 1, out: "" });
  expect(said.error).toMatch(
    /copy\.db was written, and record 5 of the \d+ in its audit log does not fit \(hash\)/,
  );
  expect(modeOf(join(folder, "copy.db"))).toBe("600");
});

test("the database is the one that the environment or .env names, as for the service", async () => {
  const folder = installed();
  const elsewhere = temporaryFolder();
  writeFileSync(join(elsewhere, ".env"), `DATABASE_URL=file:${folder}/data/jit.db\n`);
  const said = await maintain(elsewhere, ["backup", "one.db"], { DATABASE_URL: undefined });
  expect(said).toMatchObject({ code: 0 });
  const absent = await maintain(elsewhere, ["backup", "two.db"], { DATABASE_URL: "file:absent.db" });
  expect(absent.error).toContain(join(elsewhere, "absent.db"));
  const wrong = await maintain(elsewhere, ["backup", "other.db"], {
    DATABASE_URL: "postgres://x",
    PORT: "x",
  });
  expect(wrong.error).toMatch(/^PORT must be .*; DATABASE_URL must be .*\.\n$/);
});

test.each([[[]], [["backup"]], [["backup", ""]], [["backup", "a", "b"]], [["remove", "a"]]])(
  "%j is answered with what can be said",
  async (args) => {
    const said = await maintain(temporaryFolder(), args);
    expect(said).toMatchObject({ code: 1, out: "" });
    expect(said.error).toBe(
      "Use npm run backup -- FILE, npm run restore -- FILE, npm run reload, npm run accept-clock, or npm run accept-head -- HASH.\n",
    );
  },
);

test("npm runs the same command", () => {
  const { scripts }: { scripts: Record<string, string> } = JSON.parse(
    readFileSync(resolve(import.meta.dirname, "../../package.json"), "utf8"),
  );
  for (const verb of ["backup", "restore"]) {
    expect(scripts[verb]).toBe(
      `exec node --import ./src/app/process/require-node.mjs src/maintenance.ts ${verb}`,
    );
  }
});
