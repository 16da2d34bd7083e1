import { spawn, spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { formatToken } from "../../../src/core/values/token-format.ts";
import { freePort, isListening } from "../../proxies/support/ports.ts";
import { keepTrackOf, leavesNothingBehind, temporaryFolder } from "../../support/leftover-processes.ts";
import { until } from "../../support/program.ts";
import { fakeService, me, shown } from "../support/fake-service.ts";
import { jit, someKey, startJit } from "../support/run-jit.ts";

leavesNothingBehind();

const expiresAt = "2026-01-15T13:00:00.000Z";
const token = formatToken("jit", "B".repeat(30));
const active = (...targets: readonly object[]) => ({
  body: { ...shown({ status: "ACTIVE", expiresAt }), credential: { token, targets } },
});
const postgres = {
  connector: "orders-db",
  kind: "postgres",
  where: "db.company.com:5433/orders",
  username: "jit_a",
  secret: "s3cret",
  expiresAt,
  command: "psql -h db.company.com -p 5433 -U jit_a orders",
};
const certificate = "ssh-ed25519-cert-v01@openssh.com AAAAIHNzaC1lZDI1NTE5LWNlcnQ= jit_gr_a";
const ssh = {
  connector: "web",
  kind: "ssh",
  where: "web.company.com",
  username: "deploy",
  secret: certificate,
  expiresAt,
  command: "ssh -i ~/.ssh/id_ed25519 -o CertificateFile=jit_gr_a-cert.pub deploy@web.company.com",
};

/** `jit run` of a command with access to these targets. */
async function run(
  command: readonly string[],
  targets: readonly object[],
  environment: Readonly<Record<string, string>> = {},
) {
  const { url } = await fakeService({ body: me }, { ...active(...targets), status: 201 });
  const args = ["run", "--scope", "read:prod:orders-db", "--for", "1h", "--reason", "r", "--", ...command];
  return startJit(args, { JIT_URL: url, JIT_KEY: someKey, ...environment });
}

const showing = (...names: readonly string[]): readonly string[] => [
  process.execPath,
  "-e",
  `console.log(JSON.stringify(Object.fromEntries(${JSON.stringify(names)}.map((name) => [name, process.env[name]]))))`,
];

describe("a PostgreSQL target", () => {
  const names = [
    "PGHOST",
    "PGPORT",
    "PGDATABASE",
    "PGUSER",
    "PGPASSWORD",
    "PGHOSTADDR",
    "PGSERVICE",
    "PGAPPNAME",
  ];

  test("reaches psql through the variables of libpq, and inherited ones do not redirect it", async () => {
    const ambient = {
      PGHOST: "old",
      PGPASSWORD: "old",
      PGHOSTADDR: "10.0.0.1",
      PGSERVICE: "old",
      PGAPPNAME: "mine",
    };
    const { out, err } = await (await run(showing(...names), [postgres], ambient)).ended;
    expect({ err, seen: JSON.parse(out) }).toEqual({
      err: "",
      seen: {
        PGHOST: "db.company.com",
        PGPORT: "5433",
        PGDATABASE: "orders",
        PGUSER: "jit_a",
        PGPASSWORD: "s3cret",
        PGAPPNAME: "mine",
      },
    });
  });

  test("with colons in its address and a slash in its name is parsed too", async () => {
    const where = "2001:db8::1:5432/a/b";
    const { out } = await (
      await run(showing("PGHOST", "PGPORT", "PGDATABASE"), [{ ...postgres, where }])
    ).ended;
    expect(JSON.parse(out)).toEqual({ PGHOST: "2001:db8::1", PGPORT: "5432", PGDATABASE: "a/b" });
  });

  test("beside another one sets no shared variable, and says so", async () => {
    const other = { ...postgres, connector: "reports", secret: "other" };
    const { out, err } = await (await run(showing("PGPASSWORD", "PGHOST"), [postgres, other])).ended;
    expect(JSON.parse(out)).toEqual({});
    expect(err).toMatch(/^jit: orders-db and reports are of one kind: PGHOST, .+ cannot be set for both/);
  });
});

const hasRedis = ["redis-server", "redis-cli"].every(
  (tool) => spawnSync(tool, ["--version"]).error === undefined,
);
const withoutRedis = hasRedis ? "" : " (skipped: redis-server and redis-cli are not installed)";

test.skipIf(!hasRedis)(
  `a Redis target reaches redis-cli by REDISCLI_AUTH, without a question${withoutRedis}`,
  async () => {
    const port = await freePort();
    const folder = temporaryFolder();
    const users = join(folder, "users.acl");
    writeFileSync(users, "user default off\nuser jit:a on >s3cret allkeys +ping +acl|whoami\n");
    const args = [
      "--port",
      String(port),
      "--bind",
      "127.0.0.1",
      "--save",
      "",
      "--dir",
      folder,
      "--aclfile",
      users,
    ];
    const server = spawn("redis-server", args, { stdio: "ignore" });
    keepTrackOf(server);
    await until(() => isListening(port));
    const target = {
      ...postgres,
      connector: "cache",
      kind: "redis",
      where: `127.0.0.1:${port}`,
      username: "jit:a",
      command: `redis-cli -h 127.0.0.1 -p ${port} --user jit:a --askpass`,
    };
    const { out } = await (await run(["sh", "-c", "$JIT_TARGET_CACHE_COMMAND ACL WHOAMI"], [target])).ended;
    expect(out).toBe("jit:a\n");
    server.kill();
    await until(() => server.exitCode !== null || server.signalCode !== null);
  },
);

/** A fake `ssh` that prints its arguments: the certificate file with mode and content, and the host. */
function fakeSsh(): string {
  const folder = join(temporaryFolder(), "bin");
  mkdirSync(folder);
  const script = [
    "#!/bin/sh",
    'for word in "$@"; do',
    '  case "$word" in CertificateFile=*) file=${word#CertificateFile=} ;; esac',
    '  last="$word"',
    "done",
    'echo "$last $(stat -c %a "$file")"',
    'cat "$file"',
    "",
  ].join("\n");
  writeFileSync(join(folder, "ssh"), script);
  chmodSync(join(folder, "ssh"), 0o755);
  return folder;
}

/** Beside what Node itself keeps there. */
const filesOfOurs = (folder: string): readonly string[] =>
  readdirSync(folder).filter((name) => name.startsWith("jit-run-"));

describe("an SSH target", () => {
  test("reaches ssh through a temporary certificate file, which is removed afterwards", async () => {
    const temporary = temporaryFolder();
    const environment = { PATH: `${fakeSsh()}:${process.env["PATH"]}`, TMPDIR: temporary };
    const script = 'sh -c "$JIT_TARGET_WEB_COMMAND"; stat -c %a "$JIT_TARGET_WEB_CERTIFICATE_FILE"; exit 3';
    const { code, out } = await (await run(["sh", "-c", script], [ssh], environment)).ended;
    expect({ code, out }).toEqual({
      code: 3,
      out: `deploy@web.company.com 600\n${certificate}\n600\n`,
    });
    expect(filesOfOurs(temporary)).toEqual([]);
  });

  test("leaves no file when the command cannot be started, or is ended by a signal", async () => {
    const temporary = temporaryFolder();
    expect((await (await run(["/nowhere/tool"], [ssh], { TMPDIR: temporary })).ended).code).toBe(127);
    expect(filesOfOurs(temporary)).toEqual([]);
    const staying = await run(
      [process.execPath, "-e", "console.log('up'); setInterval(() => {}, 1000)"],
      [ssh],
      { TMPDIR: temporary },
    );
    await until(() => staying.said.out.includes("up"));
    expect(filesOfOurs(temporary)).toHaveLength(1);
    staying.child.kill("SIGTERM");
    await staying.ended;
    expect(filesOfOurs(temporary)).toEqual([]);
  });

  test("without a writable temporary folder starts nothing, and gives the access back", async () => {
    const { url, received } = await fakeService({ body: me }, { ...active(ssh), status: 201 });
    const marker = join(temporaryFolder(), "started");
    const args = ["run", "--scope", "login:web", "--for", "1h", "--reason", "r", "--", "touch", marker];
    const { code, err } = await startJit(args, { JIT_URL: url, JIT_KEY: someKey, TMPDIR: "/dev/null" }).ended;
    expect(code).toBe(2);
    expect(err).toContain("set TMPDIR");
    expect(existsSync(marker)).toBe(false);
    expect(received.map(({ path }) => path)).toContainEqual(expect.stringMatching(/\/complete$/));
  });

  test("is printed with lines that work when they are pasted into a shell", async () => {
    const { url } = await fakeService(active(ssh));
    const { out } = await jit(["claim", "jit_a"], { url, columns: 60, isTerminal: true });
    const pasted = [...out.matchAll(/^(?:Save with|Command) +(.+)$/gm)].map(([, line = ""]) => line);
    expect(pasted).toHaveLength(2);
    const shell = spawnSync("sh", [], {
      input: pasted.join("\n"),
      cwd: temporaryFolder(),
      encoding: "utf8",
      env: { PATH: `${fakeSsh()}:${process.env["PATH"]}`, HOME: "/root" },
    });
    expect(shell.stdout).toBe(`deploy@web.company.com 644\n${certificate}\n`);
    expect(shell.stderr).toBe("");
  });
});
