import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { assertPresent } from "../../src/core/values/assert.ts";
import { createServer, connect, type Server, type Socket } from "node:net";
import {
  logIn,
  openPostgresHarness,
  readsOrders,
  type PostgresHarness,
} from "../connectors/support/postgres-harness.ts";
import { embeddedPostgres } from "../connectors/support/postgres-server.ts";
import { listeningPort } from "../proxies/support/ports.ts";
import { autoBelow, everySecond, staff } from "../support/company-config.ts";
import { api, type Answer, type Person } from "../support/api-client.ts";
import { claimed } from "./support/claimed-access.ts";
import { leavesNothingBehind } from "../support/leftover-processes.ts";
import { runProgram, startProgram, until, type Program } from "../support/program.ts";

leavesNothingBehind();

const installation = embeddedPostgres();
const skipped = installation.missing === undefined ? "" : ` (skipped: ${installation.missing})`;
const scopes = ["read:prod:orders-db"];

describe.skipIf(installation.missing !== undefined)(`a target that is lost, or was moved${skipped}`, () => {
  let harness: PostgresHarness;
  let other: PostgresHarness;
  let forwarder: { readonly port: number; readonly close: () => Promise<void> };
  beforeAll(async () => {
    harness = await openPostgresHarness(installation);
    other = await openPostgresHarness(installation);
  }, 60_000);
  afterAll(async () => {
    await harness.stop();
    await other.stop();
  });
  /** The old address of the server: a forwarded port that can be closed. */
  beforeEach(async () => {
    forwarder = await forward(harness.server.port);
  });
  afterEach(() => forwarder.close());

  const withoutConnector = { identities: staff, policies: [autoBelow("prod:"), autoBelow("dev:")] };
  const config = {
    ...withoutConnector,
    connectors: [
      {
        name: "orders-db",
        kind: "postgres",
        url: "env:ORDERS_DB",
        resources: ["prod:orders-db"],
        actions: { read: { roles: ["orders_read"] } },
      },
    ],
  };
  const urlAt = (port: number): string => {
    const url = new URL(harness.settings.url);
    url.port = String(port);
    return url.href;
  };
  const start = (
    ordersDb: string | undefined,
    folder?: string,
    content: unknown = config,
  ): Promise<Program> =>
    startProgram({
      config: content,
      env: { ...everySecond, ...(ordersDb !== undefined && { ORDERS_DB: ordersDb }) },
      ...(folder !== undefined && { folder }),
    });
  const given = (dev: Person): Promise<Answer> => claimed(dev, scopes);
  const stateOf = async (dev: Person, id: string) => (await dev.read(id)).body.grant?.targets[0]?.state;
  const targetOf = ({ body }: Answer) => assertPresent(body.credential.targets[0], "a target");
  const connectorOf = async (program: Program) =>
    JSON.parse((await program.admin.call("GET", `${api}/connectors`)).text).data.find(
      (one: { name: string }) => one.name === "orders-db",
    );
  const readiness = async (program: Program) => {
    const { http, text } = await program.call("GET", "/readyz");
    return { http, connectors: JSON.parse(text).checks.connectors };
  };
  const servesOthers = async (dev: Person): Promise<void> => {
    expect((await dev.ask({ scopes: ["read:dev:paper"] })).http).toBe(201);
  };

  test("a reload cannot take it out of the configuration while it can still take back; a start serves everyone else", async () => {
    const program = await start(urlAt(forwarder.port));
    const dev = await program.person("dev");
    const answer = await given(dev);
    const before = program.log.length;
    program.configure(withoutConnector);
    program.hup();
    const refused = await program.logged("reload rejected, configuration unchanged", before);
    expect(refused["problems"]).toEqual([expect.stringMatching(/orders-db still holds 1 object/)]);
    await program.stop({ expectedErrors: 1 });

    const again = await start(undefined, program.folder, withoutConnector);
    const dev2 = again.as("id_dev", dev.key);
    await servesOthers(dev2);
    expect(await readiness(again)).toMatchObject({
      http: 200,
      connectors: { ok: false, detail: "not available: orders-db" },
    });
    expect(await connectorOf(again)).toMatchObject({
      kind: "unknown",
      targets: 1,
      problem: expect.any(String),
    });
    expect((await dev2.act(answer.body.id, "complete")).http).toBe(200);
    const { username: object } = targetOf(answer);
    const abandon = (reason = "The server is gone") =>
      again.admin.call("POST", `${api}/connectors/orders-db/abandon`, { object, reason });
    expect((await abandon()).http).toBe(200);
    expect((await abandon()).http).toBe(409);
    expect(await stateOf(dev2, answer.body.id)).toBe("ABANDONED");
    expect((await readiness(again)).connectors.ok).toBe(true);
    await again.stop({ expectedErrors: 1 });

    // Target and connector are back, so the abandoned object is removed.
    const back = await start(urlAt(forwarder.port), program.folder);
    await until(
      async () => (await harness.run("SELECT FROM pg_roles WHERE rolname LIKE 'jit\\_gr%'")).length === 0,
    );
    await until(async () => (await back.audit()).some(({ action }) => action === "orphan.removed"));
    await back.stop();
  });

  test("without its variable the service starts, refuses requests for it, and issues no bare token", async () => {
    const first = await runProgram({ config, env: everySecond });
    expect(first.code).toBe(1);
    expect(first.error).toContain("ORDERS_DB is not set");

    const program = await start(urlAt(forwarder.port));
    const dev = await program.person("dev");
    const answer = await given(dev);
    await program.stop();
    const again = await start(undefined, program.folder);
    const dev2 = again.as("id_dev", dev.key);
    await servesOthers(dev2);
    expect(await readiness(again)).toMatchObject({ http: 200, connectors: { ok: false } });
    const asked = await dev2.ask({ scopes, reason: "more" });
    expect(asked.body.credential).toBeUndefined();
    await until(async () => (await dev2.read(asked.body.id)).body.status === "FAILED");
    await dev2.act(answer.body.id, "complete");
    await until(async () => (await stateOf(dev2, answer.body.id)) === "REVOKING");
    // Once for the connector, once for its listing.
    await again.stop({ expectedErrors: 2 });

    const back = await start(urlAt(forwarder.port), program.folder);
    const dev3 = back.as("id_dev", dev.key);
    await until(async () => (await stateOf(dev3, answer.body.id)) === "REVOKED");
    await back.stop();
  });

  test("another address of the same server is accepted while access is active, and access ends there", async () => {
    const program = await start(urlAt(forwarder.port));
    const dev = await program.person("dev");
    const answer = await given(dev);
    await program.stop();
    await forwarder.close();
    const again = await start(harness.settings.url, program.folder);
    const dev2 = again.as("id_dev", dev.key);
    expect(await connectorOf(again)).toMatchObject({
      place: `127.0.0.1:${harness.server.port}`,
      problem: null,
      targets: 1,
    });
    const [change] = (await again.audit()).filter(({ action }) => action === "connector.address_changed");
    expect(change?.data).toMatchObject({ proof: "same_target", objects: 1 });
    const { username, secret } = targetOf(answer);
    const session = assertPresent(
      await logIn(harness.server.url(username, String(secret))),
      "access to the server",
    );
    await dev2.act(answer.body.id, "complete");
    await until(async () => (await stateOf(dev2, answer.body.id)) === "REVOKED");
    expect(await readsOrders(session)).toBe(false);
    await session.end().catch(() => {});
    await again.stop();
  });

  test("another server is not accepted: the old address stays until an administrator confirms the new one", async () => {
    const program = await start(urlAt(forwarder.port));
    const dev = await program.person("dev");
    const answer = await given(dev);
    await program.stop();
    const again = await start(other.settings.url, program.folder);
    const dev2 = again.as("id_dev", dev.key);
    await servesOthers(dev2);
    const place = `127.0.0.1:${other.server.port}`;
    expect(await connectorOf(again)).toMatchObject({
      place: `127.0.0.1:${forwarder.port}`,
      proposedPlace: place,
      problem: expect.stringMatching(
        /not proven that this is the same target: its system identifier|does not hold/,
      ),
    });
    expect((await readiness(again)).connectors.ok).toBe(false);
    // Access is still taken back where it is.
    await dev2.act(answer.body.id, "complete");
    await until(async () => (await stateOf(dev2, answer.body.id)) === "REVOKED");
    // The connector holds no object any more, so the new address is accepted.
    await until(async () => (await connectorOf(again)).problem === null);
    expect(await connectorOf(again)).toMatchObject({ place, targets: 0, proposedPlace: null });
    await again.stop({ expectedErrors: 1 });
  });

  test("an administrator confirms the address they see, with a reason, and no other", async () => {
    const program = await start(urlAt(forwarder.port));
    const dev = await program.person("dev");
    const answer = await given(dev);
    await program.stop();
    const again = await start(other.settings.url, program.folder);
    const place = `127.0.0.1:${other.server.port}`;
    const confirm = (body: object, name = "orders-db") =>
      again.admin.call("POST", `${api}/connectors/${name}/confirm`, body);
    const reason = "It was restored by hand";
    expect((await confirm({ place })).http).toBe(422);
    expect((await confirm({ place: "127.0.0.1:1", reason })).http).toBe(422);
    expect((await confirm({ place, reason }, "nowhere")).http).toBe(404);
    expect(await confirm({ place, reason })).toMatchObject({
      http: 200,
      body: { connector: "orders-db", place },
    });
    expect((await confirm({ place, reason })).http).toBe(404);
    expect(await connectorOf(again)).toMatchObject({ place, problem: null, targets: 1 });
    const [change] = (await again.audit()).filter(({ action }) => action === "connector.address_changed");
    expect(change?.data).toMatchObject({ proof: "confirmed", reason, to: place });
    const dev2 = again.as("id_dev", dev.key);
    await dev2.act(answer.body.id, "complete");
    await until(async () => (await stateOf(dev2, answer.body.id)) === "REVOKED");
    await again.stop({ expectedErrors: 1 });
    await harness.run(
      `DROP OWNED BY "${targetOf(answer).username}"; DROP ROLE "${targetOf(answer).username}"`,
      "orders",
    );
  });
});

/** A port that forwards to another until it is closed. */
async function forward(to: number): Promise<{ readonly port: number; readonly close: () => Promise<void> }> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    const through = connect(to, "127.0.0.1");
    for (const one of [socket, through]) {
      sockets.add(one);
      one.on("error", () => {}).once("close", () => sockets.delete(one));
    }
    socket.pipe(through).pipe(socket);
  });
  const port = await listeningPort(server);
  return {
    port,
    close: async () => {
      if (!server.listening) return;
      for (const socket of sockets) socket.destroy();
      await new Promise((closed) => server.close(closed));
    },
  };
}
