import Database from "better-sqlite3";
import { createHash } from "node:crypto";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { createServer, type Socket } from "node:net";
import { hostname } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { noSweep, staff } from "../support/company-config.ts";
import { leavesNothingBehind, temporaryFolder } from "../support/leftover-processes.ts";
import { runProgram, startProgram, type Ended, type ProgramOptions } from "../support/program.ts";

leavesNothingBehind({ sideBySide: true });

/** Every file of ours in the folder with its hash, without the files that SQLite creates for reading. */
function bytesIn(folder: string): Readonly<Record<string, string>> {
  const names = readdirSync(folder, { recursive: true, encoding: "utf8", withFileTypes: true });
  return Object.fromEntries(
    names
      .filter((one) => one.isFile() && !/^lock\.db$|-(wal|shm)$/.test(one.name))
      .map((one) => join(one.parentPath, one.name))
      .toSorted()
      .map((file) => [file, createHash("sha256").update(readFileSync(file)).digest("hex")]),
  );
}

/** Expects a start to fail with a message for the operator and without changes on disk. */
async function refused(folder: string, options: Omit<ProgramOptions, "folder"> = {}): Promise<Ended> {
  const before = bytesIn(folder);
  const ended = await runProgram({ ...options, folder });
  expect(ended.code).toBe(1);
  expect(ended.error).toMatch(/^jit-access did not start:\n {2}\S/);
  expect(ended.error).not.toMatch(/\n\s+at /);
  expect(bytesIn(folder)).toEqual(before);
  return ended;
}

/** A data folder whose database file the callback makes. */
function withDatabase(make: (file: string) => void): string {
  const folder = temporaryFolder();
  mkdirSync(join(folder, "data"), { mode: 0o700 });
  const file = join(folder, "data/jit.db");
  make(file);
  if (existsSync(file)) chmodSync(file, 0o600);
  return folder;
}

let used = "";
beforeAll(async () => {
  const program = await startProgram({ config: { identities: staff }, env: noSweep });
  await program.stop();
  used = program.folder;
});

/** The folder of a program that has run and stopped. */
function usedFolder(): string {
  const folder = temporaryFolder();
  cpSync(used, folder, { recursive: true });
  chmodSync(join(folder, "data"), 0o700);
  return folder;
}

describe.concurrent("the database", () => {
  test("in use by another process is refused, and that process continues", async () => {
    const first = await startProgram({ config: {}, env: noSweep });
    const second = await runProgram({ folder: first.folder });
    expect(second.code).toBe(1);
    expect(second.error).toMatch(/in use by another jit-access process; stop it first/);
    expect(second.error).toContain(`data (held by pid ${first.pid} on host ${hostname()})`);
    expect((await first.call("GET", "/readyz")).http).toBe(200);
    const { data } = (await first.admin.call("GET", "/api/v1/api-keys")).body;
    expect(data).toHaveLength(1);
    await first.stop();
  });

  test("of another program is refused and not touched", async () => {
    const folder = withDatabase((file) => {
      const other = new Database(file);
      other.exec("CREATE TABLE notes (text TEXT); INSERT INTO notes VALUES ('mine')");
      other.close();
    });
    expect((await refused(folder)).error).toMatch(/is the database of another program; it was left as it is/);
  });

  test("that is no database is refused and not touched", async () => {
    const folder = withDatabase((file) => writeFileSync(file, "holiday pictures ".repeat(100)));
    expect((await refused(folder)).error).toMatch(/is not a database; it was left as it is/);
  });

  test("truncated is refused, not recreated", async () => {
    const folder = usedFolder();
    truncateSync(join(folder, "data/jit.db"), 20_000);
    const { error } = await refused(folder);
    expect(error).toMatch(/jit\.db cannot be opened: .+/);
  });

  test("of a newer version is refused and not touched", async () => {
    const folder = usedFolder();
    const database = new Database(join(folder, "data/jit.db"));
    database
      .prepare("INSERT INTO __drizzle_migrations (hash, created_at) VALUES ('from the future', ?)")
      .run(Date.UTC(2100, 0, 1));
    database.close();
    expect((await refused(folder)).error).toMatch(/was written by a newer version of jit-access/);
  });

  test("and its folder are private from the first start on, whatever the umask", async () => {
    const program = await startProgram({
      config: {},
      env: noSweep,
      flags: ["--import", "data:text/javascript,process.umask(0)"],
    });
    const modeOf = (name: string) => (statSync(join(program.folder, "data", name)).mode & 0o777).toString(8);
    expect(modeOf(".")).toBe("700");
    const names = readdirSync(join(program.folder, "data"));
    expect(names).toEqual(expect.arrayContaining(["admin-key", "jit.db", "jit.db-wal", "lock.db"]));
    for (const name of names) expect([name, modeOf(name)]).toEqual([name, "600"]);
    await program.stop();
  });

  test.for([
    [".", 0o750, "700"],
    ["jit.db", 0o640, "600"],
    ["lock.db", 0o604, "600"],
    ["admin-key", 0o644, "600"],
  ] as const)(
    "%s open to other users is refused, with the command that closes it",
    async ([name, mode, wanted]) => {
      const folder = usedFolder();
      chmodSync(join(folder, "data", name), mode);
      expect((await refused(folder)).error).toMatch(new RegExp(`run: chmod ${wanted} \\S*data`));
    },
  );
});

describe.concurrent("the environment", () => {
  test("names all its problems at once, and no value of a secret", async () => {
    const folder = temporaryFolder();
    const { error } = await refused(folder, {
      env: {
        PORT: "threethousand",
        JIT_ADMIN_KEY: "hunter2-admin",
        SLACK_BOT_TOKEN: "hunter2-slack",
        SMTP_URL: "smtp://user:hunter2-mail@mail.company.com",
        LOG_LEVEL: "loud",
        JIT_SWEEP_CRON: "now and then",
      },
    });
    for (const name of [
      "PORT",
      "JIT_ADMIN_KEY",
      "SLACK_BOT_TOKEN",
      "SLACK_SIGNING_SECRET",
      "EMAIL_FROM",
      "LOG_LEVEL",
      "JIT_SWEEP_CRON",
    ]) {
      expect(error).toMatch(new RegExp(`^ {2}${name} `, "m"));
    }
    expect(error).not.toContain("hunter2");
    expect(readdirSync(folder)).toEqual([]);
  });

  test("with a port in use says so, and releases the database", async () => {
    const held: Socket[] = [];
    const taken = createServer((socket) => held.push(socket));
    await new Promise<void>((listening) => taken.listen(0, "127.0.0.1", listening));
    const address = taken.address();
    const port = typeof address === "object" ? (address?.port ?? 0) : 0;
    const folder = temporaryFolder();
    // The same server simulates a target that accepts a call and never responds.
    const silent = {
      name: "cache",
      kind: "redis",
      url: "env:CACHE",
      resources: ["a"],
      actions: { read: { keys: ["a:*"], commands: ["+get"] } },
    };
    const env = { ...noSweep, PORT: String(port), CACHE: `redis://127.0.0.1:${port}` };
    const ended = await runProgram({ folder, config: { connectors: [silent] }, env });
    for (const socket of held) socket.destroy();
    await new Promise((closed) => taken.close(closed));
    expect(ended.code).toBe(1);
    expect(ended.error).toMatch(/^jit-access did not start:\n {2}HOST and PORT .*EADDRINUSE.*\n$/);
    const program = await startProgram({ folder, config: {}, env: noSweep });
    await program.stop();
  });
});

describe.concurrent("the configuration file", () => {
  test("that JIT_CONFIG names must exist", async () => {
    const folder = usedFolder();
    const { error } = await refused(folder, { env: { JIT_CONFIG: "/etc/jit/nowhere.yaml" } });
    expect(error).toMatch(/JIT_CONFIG names \/etc\/jit\/nowhere\.yaml, which does not exist/);
  });

  test("that is invalid is reported by file, line, column and path, and changes nothing", async () => {
    const folder = usedFolder();
    writeFileSync(
      join(folder, "bad.yaml"),
      [
        "identities:",
        "  - { id: id_dev, email: not an address, name: Dev }",
        "policies:",
        "  - name: forever",
        "    autoApprove: true",
        "    conditions: [{ type: DURATION, operator: LESS_THAN, value: 2 hours }]",
        "limit: {}",
      ].join("\n"),
    );
    const { error } = await refused(folder, { env: { JIT_CONFIG: "bad.yaml" } });
    expect(error).toMatch(/^ {2}bad\.yaml:2:\d+ identities\.0\.email: /m);
    expect(error).toMatch(/^ {2}bad\.yaml:6:\d+ policies\.0\.conditions\.0\.value: /m);
    expect(error).toMatch(/^ {2}bad\.yaml:7:1 limit: /m);
    const program = await startProgram({ folder, env: noSweep });
    expect((await program.admin.call("GET", "/api/v1/identities/id_dev")).body.name).toBe("Dev");
    await program.stop();
  });

  test("is replaced by the example only on loopback, and only for a database without rules of its own", async () => {
    const open = await runProgram({ env: { HOST: "0.0.0.0" } });
    expect(open.error).toMatch(/HOST can be reached from other machines/);
    const chatting = await runProgram({
      env: { SLACK_BOT_TOKEN: "xoxb-1", SLACK_SIGNING_SECRET: "abcdef0123456789" },
    });
    expect(chatting.error).toMatch(/chat or mail is set up/);

    const example = await startProgram({ env: noSweep });
    expect(example.log.find(({ level }) => level === "warn")?.msg).toMatch(/running on the example/);
    await example.stop();
    const again = await startProgram({ folder: example.folder, env: noSweep });
    again.configure({ identities: staff });
    const before = again.log.length;
    again.hup();
    await again.logged("configuration loaded", before);
    await again.stop();

    rmSync(join(again.folder, "jit.yaml"));
    const { error } = await refused(again.folder);
    expect(error).toMatch(/the database has run on a file of its own/);
  });
});
