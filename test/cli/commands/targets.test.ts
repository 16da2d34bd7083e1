import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { formatToken } from "../../../src/core/values/token-format.ts";
import { leavesNothingBehind, temporaryFolder } from "../../support/leftover-processes.ts";
import { fakeService, me, shown } from "../support/fake-service.ts";
import { jit, someKey, startJit } from "../support/run-jit.ts";

leavesNothingBehind();

const token = formatToken("jit", "B".repeat(30));
const at = {
  connector: "orders-db",
  kind: "postgres",
  where: "db:5432/orders",
  username: "jit_a",
  secret: "s3cret",
  expiresAt: "2026-01-15T13:00:00.000Z",
  command: "psql -h db orders",
};
const withTargets = (...targets: readonly object[]) => ({
  body: {
    ...shown({ status: "ACTIVE", expiresAt: "2026-01-15T13:00:00.000Z" }),
    grant: {
      credential: { last4: "BBBB" },
      targets: [
        { connector: "orders-db", object: "jit_a", state: "PROVISIONED", drift: ["a right was added"] },
      ],
    },
    credential: { token, targets },
  },
});

describe("claim", () => {
  test("shows every target with its secret and state", async () => {
    const { url } = await fakeService(
      withTargets(at, { ...at, connector: "cache", secret: null, problem: "rotate again" }),
    );
    const { code, out } = await jit(["claim", "jit_a"], { url });
    expect(code).toBe(0);
    for (const text of [
      "db:5432/orders",
      "s3cret",
      "psql -h db orders",
      "PROVISIONED",
      "a right was added",
      "rotate again",
    ]) {
      expect(out).toContain(text);
    }
  });

  test("is repeated while targets are being prepared", async () => {
    const waiting = { status: 202, body: shown({ status: "APPROVED" }) };
    const { url, received } = await fakeService(waiting, waiting, withTargets(at));
    const { code, out, err } = await jit(["claim", "jit_a"], { url });
    expect([code, received.length]).toEqual([0, 3]);
    expect(err).toContain("is being prepared");
    expect(out).toContain("s3cret");
  });

  test("sends the public key of a file, and never a private one", async () => {
    const folder = temporaryFolder();
    const key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f";
    writeFileSync(join(folder, "id.pub"), `${key} me@laptop\n`);
    writeFileSync(join(folder, "id"), "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n");
    const { url, received } = await fakeService(withTargets(at));
    expect((await jit(["claim", "jit_a", "--ssh-key", join(folder, "id.pub")], { url })).code).toBe(0);
    expect(JSON.parse(received[0]?.body ?? "")).toEqual({ sshPublicKey: key });
    const refused = await jit(["claim", "jit_a", "--ssh-key", join(folder, "id")], { url });
    expect([refused.code, received.length]).toEqual([2, 1]);
    const file = join(folder, "id");
    expect(refused.err).toBe(
      `jit: ${file} is a private key, which stays secret: name the public one, such as ${file}.pub. (usage)\n`,
    );
    expect((await jit(["rotate", "jit_a", "--ssh-key", join(folder, "none")], { url })).code).toBe(2);
  });
});

test("the output for SSH names the file where the command expects the certificate", async () => {
  const command = "ssh -i ~/.ssh/id_ed25519 -o CertificateFile=jit_a-cert.pub deploy@web";
  const { url } = await fakeService(withTargets({ ...at, kind: "ssh", command }));
  const { out } = await jit(["claim", "jit_a"], { url });
  expect(out).toMatch(/^Save as +jit_a-cert\.pub, where you run the command$/m);
});

test("the SSH command names the given key, in the output and in run's environment", async () => {
  const file = join(temporaryFolder(), "my id.pub");
  writeFileSync(file, "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f\n");
  const command = "ssh -i ~/.ssh/id_ed25519 -o CertificateFile=jit_a-cert.pub deploy@web";
  const own = `ssh -i '${file.slice(0, -".pub".length)}' -o CertificateFile=jit_a-cert.pub deploy@web`;
  const answer = withTargets({ ...at, kind: "ssh", command });
  const claimed = await fakeService(answer);
  expect((await jit(["claim", "jit_a", "--ssh-key", file], { url: claimed.url })).out).toContain(
    `Command  ${own}\n`,
  );
  const running = await fakeService({ body: me }, { ...answer, status: 201 });
  const show = "process.stdout.write(String(process.env.JIT_TARGET_ORDERS_DB_COMMAND))";
  const args = ["run", "--scope", "login:web", "--for", "1h", "--reason", "why", "--ssh-key", file];
  const environment = { JIT_URL: running.url, JIT_KEY: someKey };
  const ran = startJit([...args, "--", process.execPath, "-e", show], environment);
  expect((await ran.ended).out).toBe(own);
});

test("ask with a key file says how to claim with it", async () => {
  const file = join(temporaryFolder(), "my id.pub");
  writeFileSync(file, "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f\n");
  const { url } = await fakeService({ body: me }, { status: 201, body: shown({ status: "APPROVED" }) });
  const args = ["ask", "login:web", "--for", "1h", "--reason", "why", "--ssh-key", file];
  expect((await jit(args, { url })).err).toContain(`jit claim jit_one --ssh-key '${file}'\n`);
});

test.each([
  ["is not there", undefined, "it is not there"],
  ["is private", "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n", "private key"],
  ["is no key", "hello\n", "must be a type and a key"],
])("ask with a key file that %s asks for nothing", async (_, content, said) => {
  const file = join(temporaryFolder(), "id");
  if (content !== undefined) writeFileSync(file, content);
  const { url, received } = await fakeService({ body: me }, { status: 201, body: shown() });
  const args = ["ask", "login:web", "--for", "1h", "--reason", "why", "--ssh-key", file];
  const { code, err } = await jit(args, { url });
  expect({ code, heard: received }).toEqual({ code: 2, heard: [] });
  expect(err).toContain(said);
});

test("run passes the secrets to the command in its environment, and nowhere else", async () => {
  const { url } = await fakeService(
    { body: me },
    withTargets(at, { ...at, connector: "orders.db", secret: "other" }),
  );
  const script =
    "const seen = Object.entries(process.env).filter(([name]) => name.startsWith('JIT_TARGET_'));" +
    "console.log(JSON.stringify({ seen: Object.fromEntries(seen), argv: process.argv.slice(1) }))";
  const args = [
    "run",
    "--scope",
    "read:prod:orders-db",
    "--for",
    "1h",
    "--reason",
    "r",
    "--",
    process.execPath,
    "-e",
    script,
  ];
  const { out, err } = await startJit(args, { JIT_URL: url, JIT_KEY: someKey }).ended;
  const { seen, argv } = JSON.parse(out);
  expect(argv).toEqual([]);
  expect(seen).toEqual({
    JIT_TARGET_ORDERS_DB_USERNAME: "jit_a",
    JIT_TARGET_ORDERS_DB_SECRET: "s3cret",
    JIT_TARGET_ORDERS_DB_WHERE: "db:5432/orders",
    JIT_TARGET_ORDERS_DB_COMMAND: "psql -h db orders",
    JIT_TARGET_ORDERS_DB_2_USERNAME: "jit_a",
    JIT_TARGET_ORDERS_DB_2_SECRET: "other",
    JIT_TARGET_ORDERS_DB_2_WHERE: "db:5432/orders",
    JIT_TARGET_ORDERS_DB_2_COMMAND: "psql -h db orders",
  });
  expect(err).not.toContain("s3cret");
});

describe("connectors", () => {
  test("abandon names connector, object and reason, and says that the object was never confirmed gone", async () => {
    const body = { connector: "orders-db", object: "jit_gr_a_0123ab", state: "ABANDONED", request: "jit_a" };
    const { url, received } = await fakeService({ body });
    const line = ["connectors", "abandon", "orders-db", "jit_gr_a_0123ab"];
    expect((await jit(line, { url })).code).toBe(2);
    const { code, out } = await jit([...line, "--reason", "The server is gone"], { url });
    expect(code).toBe(0);
    expect(received).toMatchObject([
      {
        method: "POST",
        path: "/api/v1/connectors/orders-db/abandon",
        body: JSON.stringify({ object: "jit_gr_a_0123ab", reason: "The server is gone" }),
      },
    ]);
    expect(out).toContain("never confirmed gone");
  });

  const findings = [
    { what: "it answers", ok: true, result: "in_order" },
    {
      what: "we may create roles",
      ok: false,
      result: "problem",
      fix: "ALTER ROLE jit CREATEROLE;\nGRANT a TO jit;",
    },
  ];

  test("check prints fixes for problems, and exits 1", async () => {
    const data = [{ name: "orders-db", kind: "postgres", ok: false, result: "problem", findings }];
    const { url, received } = await fakeService({ body: { ok: false, data } });
    const { code, out } = await jit(["connectors", "check"], { url });
    expect(code).toBe(1);
    expect(received[0]).toMatchObject({ method: "POST", path: "/api/v1/connectors/check" });
    expect(out).toBe(
      "orders-db (postgres): NOT IN ORDER\n  ok   it answers\n  BAD  we may create roles\n" +
        "         ALTER ROLE jit CREATEROLE;\n         GRANT a TO jit;\n",
    );
  });

  test("an unverified finding is never reported as in order, and does not exit 1", async () => {
    const open = [
      { what: "it answers", ok: true, result: "in_order" },
      { what: "The hosts are not verified: out of reach", ok: false, result: "not_verified" },
    ];
    const data = [{ name: "web", kind: "ssh", ok: true, result: "not_verified", findings: open }];
    const { url } = await fakeService({ body: { ok: true, data } });
    const { code, out } = await jit(["connectors", "check"], { url });
    expect(code).toBe(0);
    expect(out).toBe(
      "web (ssh): nothing wrong was found, but not everything is verified\n  ok   it answers\n" +
        "  ?    The hosts are not verified: out of reach\n",
    );
  });

  test("check exits 0 when all is in order, and says when there are no connectors", async () => {
    const { url } = await fakeService({ body: { ok: true, data: [] } });
    expect(await jit(["connectors", "check"], { url })).toMatchObject({
      code: 0,
      out: "No connectors are configured.\n",
    });
  });

  test("list shows the objects of each connector", async () => {
    const data = [{ name: "orders-db", kind: "postgres", place: "db:5432", targets: 3, overdue: 1 }];
    const { url } = await fakeService({ body: { data } });
    const { out } = await jit(["connectors", "list"], { url });
    expect(out).toMatch(/NAME +KIND +OBJECTS +OVERDUE +WHERE\norders-db +postgres +3 +1 +db:5432\n/);
  });
});
