import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { hourMs } from "../../../src/core/values/time.ts";
import { api, devAsk, jit, openHttpHarness, type HttpHarness } from "../support/http-harness.ts";

let harness: HttpHarness;
beforeEach(async () => {
  harness = await openHttpHarness();
});
afterEach(async () => {
  await harness.close();
});

const get = async (name: string, url: string, headers = {}) =>
  harness.call("GET", url, { key: await harness.keyOf(name), headers });

describe("waiting", () => {
  test("?wait= returns when the request changes", async () => {
    const id = await harness.ask();
    const waiting = get("dev", `${jit}/${id}?wait=30s`);
    await get("dev", `${jit}/${id}`);
    await harness.call("POST", `${jit}/${id}/approve`, { key: await harness.keyOf("ann") });
    expect((await waiting).body["status"]).toBe("APPROVED");
  });

  test("with If-None-Match, a change that already happened returns at once", async () => {
    const id = await harness.ask();
    const { headers } = await get("dev", `${jit}/${id}`);
    await harness.call("POST", `${jit}/${id}/approve`, { key: await harness.keyOf("ann") });
    const answer = await get("dev", `${jit}/${id}?wait=30s`, { "if-none-match": headers["etag"] });
    expect(answer.body["status"]).toBe("APPROVED");
    expect(answer.headers["etag"]).not.toBe(headers["etag"]);
  });

  test("a wait is at most a minute, and an invalid one is refused", async () => {
    const id = await harness.ask();
    for (const wait of ["61s", "0s", "soon", "1h"]) {
      expect((await get("dev", `${jit}/${id}?wait=${wait}`)).body["code"]).toBe("invalid_body");
    }
  });

  test("stopping ends every wait", async () => {
    const id = await harness.ask();
    const waiting = get("dev", `${jit}/${id}?wait=60s`);
    await get("dev", `${jit}/${id}`);
    await harness.app.close();
    expect((await waiting).body["status"]).toBe("PENDING");
  });
});

describe("access", () => {
  test("lists active access to those concerned", async () => {
    const { id } = await harness.claimed();
    const mine = await get("dev", `${api}/access`);
    expect(mine.body["data"]).toMatchObject([
      { request: id, identityId: "id_dev", name: "dev", scopes: ["read:prod:orders-db"], breakGlass: false },
    ]);
    expect((await get("cto", `${api}/access`)).body["data"]).toEqual([]);
    const all = await harness.call("GET", `${api}/access?identityId=id_dev`, { key: harness.admin });
    expect(all.body["data"]).toHaveLength(1);
    harness.harness.clock.pass(4 * hourMs);
    expect((await get("dev", `${api}/access`)).body["data"]).toEqual([]);
  });

  test("revoke-all ends it and lists what it ended", async () => {
    const { id, token } = await harness.claimed();
    const body = { identityId: "id_dev", reason: "left the company" };
    const ended = await harness.call("POST", `${api}/revoke-all`, { key: harness.admin, body });
    expect(ended.body).toEqual({ ended: 1, requests: [id] });
    const check = await harness.call("GET", `${api}/check?scope=read:prod:orders-db`, { key: token });
    expect(check.status).toBe(401);
  });

  test("revoke-all requires exactly one criterion", async () => {
    const bodies = [
      {},
      { identityId: "id_dev", scopePrefix: "read:" },
      { scopePrefix: "" },
      { everything: true },
    ];
    for (const which of bodies) {
      const said = await harness.call("POST", `${api}/revoke-all`, {
        key: harness.admin,
        body: { ...which, reason: "r" },
      });
      expect(said.body["code"]).toBe("invalid_body");
    }
  });
});

describe("audit export", () => {
  const exported = async (format: string) =>
    harness.call("GET", `${api}/audit/export?format=${format}`, { key: harness.admin });

  test("JSONL has every record up to that moment, and the export itself is recorded", async () => {
    await harness.claimed();
    const { seq } = await harness.harness.store.auditHead();
    const { text, headers } = await exported("jsonl");
    const lines = text
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as { seq: number });
    expect(lines.map((line) => line.seq)).toEqual(Array.from({ length: seq }, (_, index) => index + 1));
    expect(headers["content-type"]).toContain("jsonl");
    expect((await harness.harness.audit()).at(-1)).toMatchObject({
      action: "audit.exported",
      data: { upTo: seq },
    });
  });

  test("CSV defuses formulas, and newlines forge no row", async () => {
    for (const reason of ["=HYPERLINK(1)", "+1", "@x", "-1", "a\r\n99,forged"]) {
      await harness.call("POST", jit, {
        key: await harness.keyOf("dev"),
        body: { ...devAsk, reason, scopes: [`read:dev:${reason.length}`] },
      });
    }
    const { seq } = await harness.harness.store.auditHead();
    const { text } = await exported("csv");
    const rows = text.trimEnd().split("\r\n");
    expect(rows).toHaveLength(seq + 1);
    for (const row of rows) expect(row).not.toMatch(/(^|,)"?[=+@-]/);
  });
});

test("the catalog shows what may be requested", async () => {
  expect((await get("dev", `${api}/catalog`)).body["data"]).toEqual([]);
  expect((await get("dev", `${api}/catalog?duration=often`)).status).toBe(422);
});

test("/metrics counts responses, refusals and decisions, and names no person", async () => {
  await harness.claimed();
  await get("dev", `${jit}/jit_none`);
  const { text, headers } = await harness.call("GET", "/metrics");
  expect(headers["content-type"]).toContain("text/plain");
  expect(text).toContain(
    'jit_http_requests_total{method="POST",route="/api/v1/credentials/jit/:id/approve",status="200"} 1',
  );
  expect(text).toContain('jit_refusals_total{code="not_found"} 1');
  expect(text).toContain('jit_decisions_total{decision="approved"} 1');
  expect(text).toMatch(/jit_active_grants 1/);
  expect(text).toMatch(/jit_outbox_depth \d+/);
  expect(text).not.toMatch(/\bid_|dev@|jit_[a-z0-9]{16}\b/);
});
