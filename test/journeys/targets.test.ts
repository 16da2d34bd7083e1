import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { assertPresent } from "../../src/core/values/assert.ts";
import {
  logIn,
  openPostgresHarness,
  readsOrders,
  type PostgresHarness,
} from "../connectors/support/postgres-harness.ts";
import { embeddedPostgres } from "../connectors/support/postgres-server.ts";
import { autoBelow, everySecond, staff } from "../support/company-config.ts";
import { api, type Answer, type Person } from "../support/api-client.ts";
import { claimed } from "./support/claimed-access.ts";
import { leavesNothingBehind } from "../support/leftover-processes.ts";
import { startProgram, until, type Program } from "../support/program.ts";

leavesNothingBehind();

const installation = embeddedPostgres();
const reason = installation.missing === undefined ? "" : ` (skipped: ${installation.missing})`;
const scopes = ["read:prod:orders-db"];
/** Guaranteed: an open session can read nothing this long after the end. */

describe.skipIf(installation.missing !== undefined)(`access at a real PostgreSQL${reason}`, () => {
  let harness: PostgresHarness;
  beforeAll(async () => {
    harness = await openPostgresHarness(installation);
  }, 60_000);
  afterAll(() => harness.stop());

  const withoutConnector = { identities: staff, policies: [autoBelow("prod:")] };
  const config = (url = "env:ORDERS_DB") => ({
    ...withoutConnector,
    connectors: [
      {
        name: "orders-db",
        kind: "postgres",
        url,
        resources: ["prod:orders-db"],
        actions: { read: { roles: ["orders_read"] } },
      },
    ],
  });
  const start = (folder?: string): Promise<Program> =>
    startProgram({
      config: config(),
      env: {
        ...everySecond,
        ORDERS_DB: harness.settings.url,
        ELSEWHERE: "postgres://broker@127.0.0.1:1/orders",
      },
      ...(folder !== undefined && { folder }),
    });
  const roles = async () =>
    (await harness.run("SELECT rolname FROM pg_roles")).map((row) => String(row["rolname"]));
  const given = (dev: Person): Promise<Answer> => claimed(dev, scopes);
  const stateOf = async (dev: Person, id: string) => (await dev.read(id)).body.grant?.targets[0]?.state;
  const shownIn = ({ body }: Answer) => assertPresent(body.credential.targets[0], "a target");
  const gone = (role: string) => until(async () => !(await roles()).includes(role));

  test("a claim grants access, the end revokes it with its sessions, and the request shows the progress", async () => {
    const program = await start();
    const dev = await program.person("dev");
    const answer = await given(dev);
    const { body } = answer;
    const target = shownIn(answer);
    expect(target).toMatchObject({ connector: "orders-db", kind: "postgres", command: expect.any(String) });
    const session = await logIn(harness.server.url(target.username, String(target.secret)));
    expect(session && (await readsOrders(session))).toBe(true);
    expect((await dev.read(body.id)).text).not.toContain(String(target.secret));

    expect((await dev.act(body.id, "complete")).http).toBe(200);
    await until(async () => session === undefined || !(await readsOrders(session)));
    await gone(target.username);
    await until(async () => (await stateOf(dev, body.id)) === "REVOKED");
    expect(await logIn(harness.server.url(target.username, String(target.secret)))).toBeUndefined();
    const actions = (await program.audit(body.id)).map((one) => one.action);
    expect(actions).toEqual(expect.arrayContaining(["target.provisioned", "target.revoked"]));
    await program.stop();
  });

  test("access stays usable while the service is killed, and is taken back after a restart", async () => {
    const program = await start();
    const dev = await program.person("dev");
    const answer = await given(dev);
    const { body } = answer;
    const target = shownIn(answer);
    void dev.act(body.id, "complete").catch(() => undefined);
    await program.kill();
    const again = await start(program.folder);
    const dev2 = again.as("id_dev", dev.key);
    await dev2.act(body.id, "complete");
    await gone(target.username);
    expect(await logIn(harness.server.url(target.username, String(target.secret)))).toBeUndefined();
    await again.stop();
  });

  test("an administrator checks every connector", async () => {
    const program = await start();
    const checked = await program.admin.call("POST", `${api}/connectors/check`, {});
    expect(checked.body).toMatchObject({
      ok: true,
      data: [{ name: "orders-db", kind: "postgres", ok: true }],
    });
    const listed = await program.admin.call("GET", `${api}/connectors`);
    const place = `127.0.0.1:${harness.server.port}`;
    expect(listed.body.data).toMatchObject([{ name: "orders-db", place, targets: 0, overdue: 0 }]);
    await program.stop();
  });
});
