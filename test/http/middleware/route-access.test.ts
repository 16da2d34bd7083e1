import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { roles, type Role } from "../../../src/core/values/identity.ts";
import { entries, openHttpHarness, type HttpHarness } from "../support/http-harness.ts";

const all = [...roles];
const readers: Role[] = ["requester", "approver", "auditor", "admin"];
const watchers: Role[] = ["auditor", "admin"];
const isPublic = "nobody asks" as const;

/** Every route with the roles that may call it. */
const routeRoles: Readonly<Record<string, readonly Role[] | typeof isPublic>> = {
  "GET /healthz": isPublic,
  "GET /readyz": isPublic,
  "GET /api/v1/check": isPublic,
  "POST /api/v1/credentials/revoke": isPublic,
  "POST /api/v1/credentials/introspect": ["resource"],
  "POST /api/v1/credentials/jit": ["requester", "admin"],
  "GET /api/v1/credentials/jit": readers,
  "GET /api/v1/credentials/jit/{id}": readers,
  "POST /api/v1/credentials/jit/{id}/approve": ["approver"],
  "POST /api/v1/credentials/jit/{id}/deny": ["approver"],
  "POST /api/v1/credentials/jit/{id}/review": ["approver"],
  "POST /api/v1/credentials/jit/{id}/cancel": ["requester", "admin"],
  "POST /api/v1/credentials/jit/{id}/claim": ["requester"],
  "POST /api/v1/credentials/jit/{id}/rotate": ["requester"],
  "POST /api/v1/credentials/jit/{id}/complete": ["requester"],
  "POST /api/v1/credentials/jit/{id}/extend": ["requester"],
  "POST /api/v1/credentials/jit/{id}/revoke": ["approver", "admin"],
  "GET /api/v1/policies": watchers,
  "POST /api/v1/policies": ["admin"],
  "GET /api/v1/policies/{id}": watchers,
  "PUT /api/v1/policies/{id}": ["admin"],
  "DELETE /api/v1/policies/{id}": ["admin"],
  "POST /api/v1/policies/evaluate": ["requester", "auditor", "admin"],
  "GET /api/v1/lockdown": watchers,
  "POST /api/v1/lockdown": ["admin"],
  "GET /api/v1/identities": watchers,
  "POST /api/v1/identities": ["admin"],
  "GET /api/v1/identities/{id}": all,
  "PATCH /api/v1/identities/{id}": ["admin"],
  "DELETE /api/v1/identities/{id}/links/{platform}": ["admin"],
  "GET /api/v1/api-keys": watchers,
  "POST /api/v1/api-keys": ["admin"],
  "DELETE /api/v1/api-keys/{id}": ["admin"],
  "GET /api/v1/audit": watchers,
  "GET /api/v1/audit/verify": watchers,
  "GET /api/v1/audit/export": watchers,
  "GET /metrics": isPublic,
  "GET /api/v1/access": readers,
  "GET /api/v1/catalog": ["requester"],
  "POST /api/v1/revoke-all": ["admin"],
  "GET /api/v1/connectors": watchers,
  "POST /api/v1/connectors/check": ["admin"],
  "POST /api/v1/connectors/{name}/abandon": ["admin"],
  "POST /api/v1/connectors/{name}/confirm": ["admin"],
};

let harness: HttpHarness;
beforeAll(async () => {
  harness = await openHttpHarness();
});
afterAll(async () => {
  await harness.close();
});

/** Sends an invalid body, so that a refusal for a missing role shows that it was not read. The identity is dev's own. */
const callRoute = async (route: string, key?: string) => {
  const [method = "", path = ""] = route.split(" ");
  return harness.call(
    method,
    path.replace("{id}", path.includes("/identities/") ? "id_dev" : "jit_none").replace("{name}", "none"),
    {
      ...(key !== undefined && { key }),
      ...(method !== "GET" && { body: { nonsense: true } }),
    },
  );
};

test("every documented route has a row here, and every row has a route", async () => {
  const { body } = await harness.call("GET", "/openapi.json");
  const declared = entries(body["paths"]).flatMap(([path, operations]) =>
    Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`),
  );
  expect(declared.toSorted()).toEqual(Object.keys(routeRoles).toSorted());
});

const open = Object.keys(routeRoles).filter((route) => routeRoles[route] === isPublic);
const guarded = Object.entries(routeRoles).flatMap(([route, allowed]) =>
  allowed === isPublic ? [] : [{ route, allowed }],
);

test.each(open)("%s requires no key", async (route) => {
  expect((await callRoute(route)).body["code"]).not.toBe("unauthenticated");
});

describe.each(guarded)("$route", ({ route, allowed }) => {
  test("requires a key", async () => {
    expect((await callRoute(route)).body["code"]).toBe("unauthenticated");
    expect((await callRoute(route, `kd_live_${"A".repeat(36)}`)).body["code"]).toBe("unauthenticated");
  });
  test.each(roles)("a key with the role %s alone comes in only if it may", async (role) => {
    const { body, status } = await callRoute(route, await harness.keyOf("dev", role));
    if (allowed.includes(role)) expect(body["code"]).not.toBe("missing_role");
    else expect({ status, code: body["code"] }).toEqual({ status: 403, code: "missing_role" });
  });
});

test("a command refused for a missing role is recorded", async () => {
  await callRoute("POST /api/v1/credentials/jit/{id}/approve", await harness.keyOf("cto", "requester"));
  const refused = (await harness.harness.audit()).filter(
    ({ action, data, body }) =>
      action === "decision.refused" && data["code"] === "missing_role" && body.includes("id_cto"),
  );
  expect(refused).toHaveLength(1);
});

test("a deleted or expired key stops working immediately", async () => {
  const made = await harness.call("POST", "/api/v1/api-keys", {
    key: harness.admin,
    body: { identityId: "id_lead", roles: ["requester"], expiresAt: "2026-01-15T11:00:00.000Z" },
  });
  const key = String(made.body["token"]);
  expect((await harness.call("GET", "/api/v1/credentials/jit", { key })).status).toBe(200);
  harness.harness.clock.pass(30 * 60_000);
  expect((await harness.call("GET", "/api/v1/credentials/jit", { key })).status).toBe(401);
});
