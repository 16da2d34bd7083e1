import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { minuteMs } from "../../../src/core/values/time.ts";
import {
  api,
  devAsk,
  jit,
  list,
  openHttpHarness,
  prodAsk,
  type Answer,
  type HttpHarness,
} from "../support/http-harness.ts";

let harness: HttpHarness;
let pending: string;
let approved: string;
let active: string;
let foreign: string;
beforeAll(async () => {
  harness = await openHttpHarness();
  const next = <T>(made: T): T => {
    harness.harness.clock.pass(minuteMs);
    return made;
  };
  pending = next(await harness.ask());
  approved = next(await harness.approved({ scopes: ["read:prod:b"] }));
  const started = await harness.call("POST", jit, { key: await harness.keyOf("dev"), body: devAsk });
  active = next(String(started.body["id"]));
  const other = await harness.call("POST", jit, {
    key: await harness.keyOf("cto"),
    body: { ...prodAsk, identityId: "id_cto" },
  });
  foreign = String(other.body["id"]);
});
afterAll(async () => {
  await harness.close();
});

const get = async (url: string, name = "dev"): Promise<Answer> =>
  harness.call("GET", url, { key: await harness.keyOf(name) });
const idsOf = ({ body }: Answer): unknown[] => list(body["data"]).map((one) => one["id"]);

describe("the list of requests", () => {
  test("has the caller's own, newest first", async () => {
    expect(idsOf(await get(jit))).toEqual([active, approved, pending]);
  });

  test("has everything for an administrator", async () => {
    expect(idsOf(await harness.call("GET", jit, { key: harness.admin }))).toEqual([
      foreign,
      active,
      approved,
      pending,
    ]);
  });

  test.each([
    ["status=PENDING", () => [pending]],
    ["status=ACTIVE", () => [active]],
    ["scope=read:prod:b", () => [approved]],
    ["scope=no-scope", () => []],
    ["identityId=id_dev", () => [active, approved, pending]],
    ["identityId=nobody", () => []],
    ["since=2026-01-15T10:31:00.000Z", () => [active, approved]],
    ["until=2026-01-15T10:31:00.000Z", () => [pending]],
    ["since=2026-01-15T11:31:00%2B01:00&until=2026-01-15T10:32:00Z", () => [approved]],
  ])("?%s", async (query, ids) => {
    expect(idsOf(await get(`${jit}?${query}`))).toEqual(ids());
  });

  test("approver=me has what the caller may decide", async () => {
    expect(idsOf(await get(`${jit}?approver=me&status=PENDING`, "ann"))).toEqual([foreign, pending]);
    expect(idsOf(await get(`${jit}?approver=me`, "sec"))).toEqual([]);
  });

  test("has pages without gaps or repetitions", async () => {
    const first = await get(`${jit}?limit=2`);
    expect(idsOf(first)).toEqual([active, approved]);
    const second = await get(`${jit}?limit=2&cursor=${String(first.body["nextCursor"])}`);
    expect(idsOf(second)).toEqual([pending]);
    expect(second.body["nextCursor"]).toBeNull();
  });

  test.each([
    ["status=OPEN", "status"],
    ["limit=0", "limit"],
    ["limit=201", "limit"],
    ["limit=1e2", "limit"],
    ["limit=5&limit=6", "limit"],
    ["cursor=abc", "cursor"],
    ["cursor=", "cursor"],
    ["approver=id_ann", "approver"],
    ["since=yesterday", "since"],
    ["until=2026-01-15", "until"],
    ["colour=red", "colour"],
  ])("?%s → 422 naming it", async (query, path) => {
    const { status, body } = await get(`${jit}?${query}`);
    expect(status).toBe(422);
    expect(body).toMatchObject({ code: "invalid_body", errors: [{ path }] });
  });
});

describe("one request", () => {
  test("is visible to its requester, its approvers, auditors and administrators, and not found for others", async () => {
    const readers = [
      await harness.keyOf("dev"),
      await harness.keyOf("ann"),
      await harness.keyOf("lead", "auditor"),
      harness.admin,
    ];
    for (const key of readers)
      expect((await harness.call("GET", `${jit}/${pending}`, { key })).status).toBe(200);
    expect((await get(`${jit}/${pending}`, "cto")).body["code"]).toBe("not_found");
    expect((await get(`${jit}/${foreign}`, "dev")).body["code"]).toBe("not_found");
  });

  test("refuses unknown query parameters", async () => {
    expect((await get(`${jit}/${pending}?verbose=1`)).body["code"]).toBe("invalid_body");
  });
});

describe("the audit log", () => {
  const audit = (query: string) => harness.call("GET", `${api}/audit${query}`, { key: harness.admin });

  test("is read in order from the first record, each with its position in the chain", async () => {
    const { body } = await audit("?limit=200");
    const records = list(body["data"]);
    expect(records.map((one) => one["seq"])).toEqual(records.map((_, index) => index + 1));
    expect(records[0]).toMatchObject({ seq: 1, previousHash: "0".repeat(64) });
    expect(records.slice(1).map((one) => one["previousHash"])).toEqual(
      records.slice(0, -1).map((one) => one["hash"]),
    );
    expect(records.find((one) => one["action"] === "request.submitted")).toMatchObject({
      at: "2026-01-15T10:30:00.000Z",
      actor: { type: "human", id: "id_dev", name: "dev", via: "api" },
      request: pending,
      identity: "id_dev",
      data: { scopes: prodAsk.scopes },
    });
  });

  test("comes in pages by seq", async () => {
    const first = await audit("?limit=3");
    expect(first.body["nextCursor"]).toBe(3);
    expect(list((await audit("?after=3&limit=1")).body["data"])[0]).toMatchObject({ seq: 4 });
    expect((await audit("?after=999999")).body).toEqual({ data: [], nextCursor: null });
  });

  test("can be filtered by request or action", async () => {
    const about = list((await audit(`?request=${approved}`)).body["data"]);
    expect(about.map((one) => one["action"])).toEqual([
      "request.submitted",
      "approval.given",
      "request.approved",
    ]);
    const actions = list((await audit("?action=grant.started")).body["data"]);
    expect(actions.map((one) => one["request"])).toEqual([active]);
    expect((await audit("?request=nothing")).body["data"]).toEqual([]);
  });

  test.each(["after=-1", "after=x", "action=nothing.happened", "limit=0", "page=2"])(
    "?%s → 422",
    async (query) => {
      expect((await audit(`?${query}`)).body["code"]).toBe("invalid_body");
    },
  );

  test("can be verified", async () => {
    const { body } = await audit("/verify");
    const all = await harness.harness.audit();
    expect(body).toEqual({ ok: true, events: all.length, head: all.at(-1)?.hash, tail: "unproven" });
  });
});
