import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createServer as createTlsServer, type Server as TlsServer } from "node:tls";
import { DatabaseError } from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { postgresFault } from "../../src/connectors/postgres/postgres-fault.ts";
import { createPostgresConnector } from "../../src/connectors/postgres/postgres-connector.ts";
import { createRedisConnector } from "../../src/connectors/redis/redis-connector.ts";
import { createSshConnector } from "../../src/connectors/ssh/ssh-connector.ts";
import { createWebhookConnector } from "../../src/connectors/webhook/webhook-connector.ts";
import { instant } from "../../src/core/values/ids.ts";
import { ConnectorFault, type Connector } from "../../src/service/ports/connector.ts";
import { reasonOf } from "../../src/service/targets/target-service.ts";
import { createKeyedMutex } from "../../src/service/async/keyed-mutex.ts";
import { freePort, listeningPort } from "../proxies/support/ports.ts";
import { leavesNothingBehind, temporaryFolder } from "../support/leftover-processes.ts";
import { never, specFor } from "./support/connector-harness.ts";
import { missingRedis, openRedisHarness } from "./support/redis-harness.ts";

leavesNothingBehind();

const ports = { instance: "ours", now: () => instant(Date.now()), mutex: createKeyedMutex() };
const shared = { resources: ["prod:orders-db"], address: "shown:1" };
const canary = "hunter2";

const postgresAt = (url: string): Connector =>
  createPostgresConnector(
    {
      ...shared,
      kind: "postgres",
      name: "db",
      url,
      leftoversOwner: "left",
      actions: { read: { roles: ["r"] } },
    },
    ports,
  );
const redisAt = (url: string): Connector =>
  createRedisConnector(
    {
      ...shared,
      kind: "redis",
      name: "cache",
      url,
      aclSave: false,
      actions: { read: { keys: ["a"], channels: [], commands: ["+get"] } },
    },
    ports,
  );
const webhookAt = (url: string): Connector =>
  createWebhookConnector(
    {
      ...shared,
      kind: "webhook",
      name: "doors",
      url,
      secret: `whsec_${Buffer.alloc(24, 1).toString("base64")}`,
      allowPrivate: true,
      actions: { read: { rights: [] } },
    },
    ports,
  );

/** The reason with which every operation fails: it must be the same for all, and must not contain the password. */
async function reasonAt(connector: Connector): Promise<string> {
  const spec = specFor(connector);
  const faults = await Promise.all(
    [
      connector.provision(spec, never()),
      connector.takeBack(spec, never()),
      connector.listManaged(never()),
      connector.check(never()),
    ].map((attempt) => Promise.resolve(attempt).then(() => "it works", reasonOf)),
  );
  await connector.close();
  expect(new Set(faults).size).toBe(1);
  expect(JSON.stringify(faults)).not.toContain(canary);
  return faults[0] ?? "";
}

describe("the reason why a target is unreachable", () => {
  const kinds = [
    ["postgres", (host: string) => postgresAt(`postgres://broker:${canary}@${host}/orders`)],
    ["redis", (host: string) => redisAt(`redis://broker:${canary}@${host}`)],
    ["webhook", (host: string) => webhookAt(`http://${host}/`)],
  ] as const;

  test.each(kinds)("%s: an unknown host name", async (_, at) => {
    expect(await reasonAt(at("nowhere.invalid:1"))).toMatch(
      /^its host name (is unknown|cannot be looked up at the moment)$/,
    );
  });

  test.each(kinds)("%s: a closed port", async (_, at) => {
    expect(await reasonAt(at(`127.0.0.1:${await freePort()}`))).toBe(
      "nothing listens on its port (connection refused)",
    );
  });
});

const hasOpenssl = spawnSync("openssl", ["version"]).status === 0;

describe.skipIf(!hasOpenssl)(
  `a certificate that is not trusted${hasOpenssl ? "" : " (skipped: openssl is not installed)"}`,
  () => {
    let server: TlsServer;
    let port: number;
    beforeAll(async () => {
      const folder = temporaryFolder();
      const [key, cert] = [join(folder, "key"), join(folder, "cert")];
      spawnSync("openssl", [
        "req",
        "-x509",
        "-newkey",
        "ed25519",
        "-nodes",
        "-subj",
        "/CN=other",
        "-keyout",
        key,
        "-out",
        cert,
      ]);
      server = createTlsServer({ key: readFileSync(key), cert: readFileSync(cert) }, (socket) => {
        socket.on("error", () => {});
      });
      server.on("tlsClientError", () => {});
      port = await listeningPort(server);
    });
    afterAll(() => new Promise((closed) => server.close(closed)));

    test.each([
      ["redis", (to: number) => redisAt(`rediss://broker:${canary}@127.0.0.1:${to}`)],
      ["webhook", (to: number) => webhookAt(`https://127.0.0.1:${to}/`)],
    ] as const)("%s names the certificate as the reason", async (_, at) => {
      expect(await reasonAt(at(port))).toBe("its certificate is self-signed and not trusted here");
    });
  },
);

describe.skipIf(missingRedis !== undefined)(
  `errors of Redis${missingRedis === undefined ? "" : ` (skipped: ${missingRedis})`}`,
  () => {
    test("a wrong password, a wrong database and a missing right have different reasons", async () => {
      const harness = await openRedisHarness();
      const reasonWith = async (url: string) => reasonAt(redisAt(url));
      expect(await reasonWith(harness.url("broker", canary))).toBe(
        "it does not accept the broker's name or password",
      );
      await harness.run("ACL", "SETUSER", "chooser", "on", ">c", "-@all", "+select");
      expect(await reasonWith(`${harness.url("chooser", "c")}/99`)).toBe(
        "the database of the url does not exist",
      );
      const powerless = redisAt(harness.url("chooser", "c"));
      expect(await powerless.provision(specFor(powerless), never()).catch(reasonOf)).toBe(
        "the broker lacks a right; jit connectors check says which",
      );
      await harness.stop();
    });
  },
);

test.each([
  ["28P01", "it does not accept the broker's password"],
  [
    "28000",
    "it does not let the broker in: check the role, and pg_hba.conf for the address, the database and TLS",
  ],
  ["3D000", "the database of the url does not exist"],
  ["25006", "it is a read replica, or read-only: point the url at the primary"],
  ["42501", "the broker lacks a right; jit connectors check says which"],
  ["53300", "it has no connection left"],
  ["57P03", "it is starting up or shutting down"],
  ["XX001", "it refused (SQLSTATE XX001)"],
])("PostgreSQL %s has its own reason, and its text stays in the log", (state, reason) => {
  const error = new DatabaseError(`text with ${canary}`, 1, "error");
  error.code = state;
  const fault = postgresFault("db", error, { isTimeUp: false, hasAnswered: true });
  expect(reasonOf(fault)).toBe(reason);
  expect(fault.hasAnswered).toBe(true);
});

test.each([
  [new Error("The server does not support SSL connections"), /does not support TLS, which the url requires/],
  [new Error("timeout expired"), /did not answer in time/],
  [new Error("Connection terminated unexpectedly"), /closed the connection/],
  [
    Object.assign(new Error(canary), { code: "ERR_TLS_CERT_ALTNAME_INVALID" }),
    /certificate is for another host name/,
  ],
  [Object.assign(new Error(canary), { code: "CERT_HAS_EXPIRED" }), /certificate has expired/],
  [
    Object.assign(new Error(canary), { code: "CERT_UNTRUSTED" }),
    /certificate is not accepted \(CERT_UNTRUSTED\)/,
  ],
  [new Error(`postgres://broker:${canary}@db`), /^it could not be reached in time$/],
])("a driver error has its own reason, and its text is not quoted: %s", (error, reason) => {
  const fault = postgresFault("db", error, { isTimeUp: false, hasAnswered: false });
  expect(fault.hasAnswered).toBe(false);
  const shown = reasonOf(fault);
  expect(shown).toMatch(reason);
  expect(shown).not.toContain(canary);
});

test("missing SSH files are named", async () => {
  const folder = temporaryFolder();
  const at = (more: object) =>
    createSshConnector(
      {
        ...shared,
        kind: "ssh",
        name: "web",
        caKeyFile: join(folder, "ca"),
        krlFile: join(folder, "revoked"),
        hosts: ["web1"],
        actions: { read: { principals: ["web"] } },
        ...more,
      },
      ports,
    );
  const noKey = at({});
  expect(await noKey.provision(specFor(noKey), never()).catch(reasonOf)).toBe(
    `${folder}/ca does not exist, or its folder is not mounted`,
  );
  const noFolder = at({ krlFile: join(folder, "away/revoked") });
  expect(await noFolder.takeBack(specFor(noFolder), never()).catch(reasonOf)).toBe(
    `${folder}/away does not exist, or its folder is not mounted`,
  );
});

test("a reason is one short line, whatever name a holder chose at the target", () => {
  const name = `x'\u202e\n*Approved by Ann*\u001b[31m${"y".repeat(2_000)}`;
  const shown = reasonOf(
    new ConnectorFault("refused", "raw", { retryable: false, reason: `it holds ${name}` }),
  );
  expect(shown).toMatch(/^it holds x' {2}\*Approved by Ann\* \[31my+…$/);
  expect(shown.length).toBeLessThanOrEqual(500);
});
