import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { secondMs } from "../../../src/core/values/time.ts";
import { openTargetHarness, type TargetHarness } from "../../service/support/target-harness.ts";
import {
  api,
  entries,
  jit,
  list,
  openHttpHarness,
  prodAsk,
  type Answer,
  type HttpHarness,
} from "../support/http-harness.ts";

let service: TargetHarness;
let harness: HttpHarness;
beforeEach(async () => {
  service = await openTargetHarness({ more: [{ name: "dev-db", resources: "dev:" }] });
  harness = await openHttpHarness({ harness: service });
});
afterEach(async () => {
  await harness.close();
});

const dev = async () => harness.keyOf("dev");
const post = async (url: string, body: object = {}, idempotencyKey?: string): Promise<Answer> =>
  harness.call("POST", url, {
    key: await dev(),
    body,
    ...(idempotencyKey !== undefined && { headers: { "idempotency-key": idempotencyKey } }),
  });
const targetsOf = ({ body }: Answer) => {
  const { credential } = body;
  return typeof credential === "object" && credential !== null && "targets" in credential
    ? list(credential.targets)
    : [];
};
const devAsk = { ...prodAsk, scopes: ["read:dev:a"], duration: "1h" };

describe("an answer with targets", () => {
  test("has address, user, secret, expiry and command of each target; the request has their states", async () => {
    const answer = await post(jit, devAsk);
    expect(answer.status).toBe(201);
    expect(answer.headers["cache-control"]).toBe("no-store");
    const [at] = targetsOf(answer);
    expect(at).toEqual({
      connector: "dev-db",
      kind: "fake",
      where: "fake:dev-db",
      username: expect.stringMatching(/^jit_/),
      secret: expect.stringMatching(/^tgt_/),
      expiresAt: answer.body["expiresAt"],
      command: expect.stringMatching(/^open jit_/),
    });
    const read = await harness.call("GET", `${jit}/${String(answer.body["id"])}`, { key: await dev() });
    expect(read.body["grant"]).toMatchObject({
      targets: [
        { connector: "dev-db", object: at?.["username"], state: "PROVISIONED", drift: [], problem: null },
      ],
    });
    expect(read.text).not.toContain("tgt_");
  });

  test("a slow target: 202, nothing stored, and the same call again returns the secret", async () => {
    const [, slow] = service.targets;
    if (slow !== undefined) slow.trouble.isDown = true;
    const first = await post(jit, devAsk, "one");
    expect([first.status, first.body["status"], first.body["credential"]]).toEqual([
      202,
      "APPROVED",
      undefined,
    ]);
    if (slow !== undefined) slow.trouble.isDown = false;
    service.clock.pass(5 * secondMs);
    await service.tick();
    const again = await post(jit, devAsk, "one");
    expect([again.status, again.body["id"]]).toEqual([201, first.body["id"]]);
    expect(targetsOf(again)).toHaveLength(1);
    const third = await post(jit, devAsk, "one");
    expect(third.headers["idempotency-replayed"]).toBe("true");
    expect(third.text).not.toContain("tgt_");
    expect(targetsOf(third)).toMatchObject([{ connector: "dev-db", secret: null }]);
  });

  test("a claim's 202 is not stored either; a replayed claim shows no secret", async () => {
    const id = await harness.approved();
    service.target.trouble.isDown = true;
    expect((await post(`${jit}/${id}/claim`, {}, "c")).status).toBe(202);
    service.target.trouble.isDown = false;
    service.clock.pass(5 * secondMs);
    await service.tick();
    const given = await post(`${jit}/${id}/claim`, {}, "c");
    expect([given.status, targetsOf(given).length]).toEqual([200, 1]);
    const again = await post(`${jit}/${id}/claim`, {}, "c");
    expect([again.status, targetsOf(again)[0]?.["secret"]]).toEqual([200, null]);
    const rotated = await post(`${jit}/${id}/rotate`);
    expect(targetsOf(rotated)[0]?.["secret"]).toMatch(/^tgt_/);
  });

  test("an invalid public key is refused by field", async () => {
    const id = await harness.approved();
    for (const sshPublicKey of ["", "ssh-ed25519 AAAA", "a\nb", "-----BEGIN OPENSSH PRIVATE KEY-----"]) {
      const { status, body } = await post(`${jit}/${id}/claim`, { sshPublicKey });
      expect([status, body["code"], list(body["errors"])[0]?.["path"]]).toEqual([
        422,
        "invalid_body",
        "sshPublicKey",
      ]);
    }
  });

  test("no secret of a target is in a log, the database or the audit log", async () => {
    const id = String((await post(jit, devAsk, "one")).body["id"]);
    await post(`${jit}/${id}/rotate`, {}, "two");
    const secrets = service.targets.flatMap((one) => one.secrets);
    expect(secrets).toHaveLength(2);
    const data = join(service.folder, "data");
    const places = [
      ...harness.log,
      ...readdirSync(data).map((name) => readFileSync(join(data, name), "latin1")),
      JSON.stringify(await service.audit()),
    ];
    for (const place of places) for (const secret of secrets) expect(place.includes(secret)).toBe(false);
  });
});

test("connectors are listed with their objects, and checked with fixes", async () => {
  await post(jit, devAsk);
  const listed = await harness.call("GET", `${api}/connectors`, { key: harness.admin });
  expect(listed.body["data"]).toEqual([
    {
      name: "orders-db",
      kind: "fake",
      place: "fake:orders-db",
      problem: null,
      proposedPlace: null,
      targets: 0,
      overdue: 0,
    },
    {
      name: "dev-db",
      kind: "fake",
      place: "fake:dev-db",
      problem: null,
      proposedPlace: null,
      targets: 1,
      overdue: 0,
    },
  ]);
  service.target.trouble.isDown = true;
  const checked = await harness.call("POST", `${api}/connectors/check`, { key: harness.admin });
  expect(checked.body).toEqual({
    ok: false,
    data: [
      {
        name: "orders-db",
        kind: "fake",
        ok: false,
        result: "problem",
        findings: [{ what: expect.stringContaining("could not be reached"), ok: false, result: "problem" }],
      },
      {
        name: "dev-db",
        kind: "fake",
        ok: false,
        result: "problem",
        findings: [
          { what: "it answers", ok: true, result: "in_order" },
          {
            what: "we may create roles",
            ok: false,
            result: "problem",
            fix: "ALTER ROLE jit CREATEROLE;",
          },
        ],
      },
    ],
  });
});

test("the metrics report overdue take-backs and their age", async () => {
  const id = String((await post(jit, devAsk)).body["id"]);
  for (const one of service.targets) one.trouble.isDown = true;
  await post(`${jit}/${id}/complete`);
  await service.live(90 * secondMs);
  const { text } = await harness.call("GET", "/metrics");
  expect(text).toContain("jit_take_backs_waiting 1");
  expect(text).toContain("jit_take_backs_overdue 1");
  expect(text).toMatch(/jit_take_back_overdue_seconds 9\d/);
});

test("the documentation has every field of the responses", async () => {
  const { body } = await harness.call("GET", "/openapi.json");
  const paths = new Map(entries(body["paths"]));
  for (const path of [jit, `${jit}/{id}/claim`]) {
    expect(JSON.stringify(paths.get(path)?.["post"])).toContain('"202"');
  }
});

describe("an object at a lost target", () => {
  const abandon = (body: object, connector = "dev-db") =>
    harness.call("POST", `${api}/connectors/${connector}/abandon`, { key: harness.admin, body });

  test("is abandoned by the name that the request shows, with its active access; a second time is refused with its own code", async () => {
    const asked = await post(jit, devAsk);
    const { body } = asked;
    const read = async () => harness.call("GET", `${jit}/${String(body["id"])}`, { key: await dev() });
    const [at] = targetsOf(asked);
    const object = String(at?.["username"]);
    for (const one of service.targets) one.trouble.isDown = true;
    for (const wrong of [
      { object },
      { object, reason: " " },
      { reason: "gone" },
      { object, reason: "x", force: 1 },
    ]) {
      expect(await abandon(wrong)).toMatchObject({ status: 422, body: { code: "invalid_body" } });
    }
    expect(await abandon({ object, reason: "gone" }, "none")).toMatchObject({ status: 404 });
    expect(await abandon({ object: "jit_gr_x", reason: "gone" })).toMatchObject({
      status: 404,
      body: { code: "not_found" },
    });
    expect(await abandon({ object, reason: "The server is gone" })).toMatchObject({
      status: 200,
      body: { connector: "dev-db", object, state: "ABANDONED", request: body["id"] },
    });
    expect((await read()).body).toMatchObject({
      status: "REVOKED",
      grant: { targets: [{ object, state: "ABANDONED", clearedAt: null }] },
    });
    expect(await abandon({ object, reason: "again" })).toMatchObject({
      status: 409,
      body: { code: "already_abandoned" },
    });
  });
});
