import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { dayMs } from "../../../src/core/values/time.ts";
import { api, jit, list, openHttpHarness, type HttpHarness } from "../support/http-harness.ts";

let harness: HttpHarness;
beforeEach(async () => {
  harness = await openHttpHarness();
});
afterEach(async () => {
  await harness.close();
});

const admin = (method: string, path: string, body?: unknown) =>
  harness.call(method, `${api}${path}`, { key: harness.admin, ...(body !== undefined && { body }) });

describe("API keys", () => {
  test("are created with the secret shown once, listed without it, and deleted", async () => {
    const made = await admin("POST", "/api-keys", {
      identityId: "id_dev",
      roles: ["requester"],
      name: "laptop",
    });
    expect(made.status).toBe(201);
    expect(made.headers["cache-control"]).toBe("no-store");
    const { token, ...record } = made.body;
    expect(token).toMatch(/^kd_live_[0-9A-Za-z]{36}$/);
    expect(record).toEqual({
      id: expect.stringMatching(/^key_/),
      identityId: "id_dev",
      roles: ["requester"],
      name: "laptop",
      last4: String(token).slice(-4),
      mintedBy: "id_admin",
      createdAt: "2026-01-15T10:30:00.000Z",
      expiresAt: "2026-04-15T10:30:00.000Z",
    });
    const listed = await admin("GET", "/api-keys");
    expect(list(listed.body["data"])[0]).toEqual(record);
    expect(listed.text).not.toContain(String(token));
    expect((await harness.call("GET", jit, { key: String(token) })).status).toBe(200);
    expect((await admin("DELETE", `/api-keys/${String(record["id"])}`)).body).toEqual(record);
    expect((await harness.call("GET", jit, { key: String(token) })).status).toBe(401);
  });

  test("expire after 90 days by default, and after a year at most", async () => {
    const until = (days: number) => new Date(harness.harness.clock.now() + days * dayMs).toISOString();
    const withEnd = (expiresAt: string) =>
      admin("POST", "/api-keys", { identityId: "id_dev", roles: ["requester"], expiresAt });
    expect((await withEnd(until(365))).status).toBe(201);
    expect((await withEnd(until(400))).body["code"]).toBe("invalid_body");
    expect((await withEnd(until(-1))).body["code"]).toBe("invalid_body");
  });

  test.each([
    ["no roles", { roles: [] }, "invalid_body"],
    ["an unknown role", { roles: ["root"] }, "invalid_body"],
    ["a role twice", { roles: ["admin", "admin"] }, "invalid_body"],
    ["an identity nobody knows", { identityId: "id_nobody" }, "identity_unknown"],
    ["a token of one's own", { token: "kd_live_x" }, "invalid_body"],
  ])("%s is refused", async (_, more, code) => {
    const body = { identityId: "id_dev", roles: ["requester"], ...more };
    expect((await admin("POST", "/api-keys", body)).body["code"]).toBe(code);
  });
});
