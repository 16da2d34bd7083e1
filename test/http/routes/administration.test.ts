import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  api,
  devAsk,
  jit,
  list,
  openHttpHarness,
  prodAsk,
  type HttpHarness,
} from "../support/http-harness.ts";

let harness: HttpHarness;
beforeEach(async () => {
  harness = await openHttpHarness();
});
afterEach(async () => {
  await harness.close();
});

const admin = (method: string, path: string, body?: unknown) =>
  harness.call(method, `${api}${path}`, { key: harness.admin, ...(body !== undefined && { body }) });

/** The documented form of a policy (docs/policies.md#fields), verbatim. */
const seed = {
  name: "dev-environment-auto-approve",
  autoApprove: true,
  conditions: [
    { type: "RESOURCE", operator: "STARTS_WITH", value: "dev:" },
    { type: "DURATION", operator: "LESS_THAN", value: "2h" },
    { type: "RISK_SCORE", operator: "LESS_THAN", value: 30 },
  ],
  maxDuration: "4h",
  maxUsage: 100,
};

describe("policies", () => {
  test("are created and read in the written form, replaced as a new version, and deleted", async () => {
    const made = await admin("POST", "/policies", seed);
    expect(made.status).toBe(201);
    expect(made.body).toMatchObject({ ...seed, version: 1, managedBy: "api", priority: 0, enabled: true });
    const id = String(made.body["id"]);
    expect(made.headers["location"]).toBe(`${api}/policies/${id}`);
    expect((await admin("GET", `/policies/${id}`)).body).toEqual(made.body);

    const replaced = await admin("PUT", `/policies/${id}`, {
      name: "now by people",
      approval: {
        stages: [
          { approvers: ["group:dba", "manager"], required: 2, sla: "30m", escalateTo: [["cto@company.com"]] },
        ],
      },
      conditions: [{ anyOf: [{ not: { type: "GROUP", operator: "IN", value: ["a", "b"] } }] }],
    });
    expect(replaced.status).toBe(200);
    expect(replaced.body).toMatchObject({
      id,
      version: 2,
      name: "now by people",
      approval: { window: "1d", stages: [{ approvers: ["group:dba", "manager"], required: 2, sla: "30m" }] },
      conditions: [{ anyOf: [{ not: { type: "GROUP", operator: "IN", value: ["a", "b"] } }] }],
    });

    const removed = await admin("DELETE", `/policies/${id}`);
    expect(removed.status).toBe(200);
    expect(removed.body["id"]).toBe(id);
    expect((await admin("GET", `/policies/${id}`)).status).toBe(404);
  });

  test("come as a list in pages", async () => {
    const first = await admin("GET", "/policies?limit=5");
    expect(list(first.body["data"])).toHaveLength(5);
    const rest = await admin("GET", `/policies?limit=5&cursor=${String(first.body["nextCursor"])}`);
    expect(list(rest.body["data"])).toHaveLength(3);
    expect(rest.body["nextCursor"]).toBeNull();
  });

  test.each([
    ["neither auto, deny nor approval", { name: "x" }, ""],
    [
      "an unknown operator",
      { ...seed, conditions: [{ type: "RESOURCE", operator: "LIKE", value: "x" }] },
      "conditions.0.operator",
    ],
    ["a field that is ours", { ...seed, version: 7 }, "version"],
    ["a duration of nothing", { ...seed, maxDuration: "0s" }, "maxDuration"],
  ])("%s is refused with its path", async (_, body, path) => {
    const { status, body: said } = await admin("POST", "/policies", body);
    expect(status).toBe(422);
    expect(said).toMatchObject({ code: "invalid_body", errors: [{ path }] });
  });

  test("apply from the next request on", async () => {
    await admin("POST", "/policies", {
      ...seed,
      conditions: seed.conditions.slice(0, 1),
      priority: 5,
      name: "mine",
    });
    const asked = await harness.call("POST", jit, { key: await harness.keyOf("dev"), body: devAsk });
    expect(asked.body).toMatchObject({ status: "ACTIVE", policies: [{ name: "mine" }] });
  });
});

describe("the dry run", () => {
  const evaluate = async (key: string, body: unknown) =>
    harness.call("POST", `${api}/policies/evaluate`, { key, body });

  test("says which policy governs each scope and why, and stores nothing", async () => {
    const before = (await harness.harness.audit()).length;
    const { status, body } = await evaluate(harness.admin, {
      request: { ...prodAsk, scopes: ["read:prod:orders-db", "read:prod:b"] },
    });
    expect(status).toBe(200);
    expect(body).toMatchObject({
      outcome: "NEEDS_APPROVAL",
      refusal: null,
      stages: [{ stage: 1, policyId: "pol_prod", required: 1 }],
      approvalWindow: "1d",
      claimWindow: "8h",
    });
    const [scope] = list(body["scopes"]);
    expect(scope).toMatchObject({
      scope: "read:prod:orders-db",
      outcome: "policy",
      reason: "first_in_order",
      policy: { id: "pol_prod", name: "prod", version: 1 },
    });
    const governing = list(scope?.["policies"]).find((one) => one["name"] === "prod");
    expect(governing).toMatchObject({
      standing: "governs",
      truth: "true",
      conditions: [
        {
          condition: { type: "RESOURCE", operator: "STARTS_WITH", value: "prod:" },
          truth: "true",
          actual: "prod:orders-db",
          inside: [],
        },
      ],
    });
    expect((await harness.harness.audit()).length).toBe(before);
    expect((await admin("GET", "/credentials/jit")).body["data"]).toEqual([]);
  });

  test("evaluates drafts instead of the policies in force", async () => {
    const nested = {
      name: "draft",
      deny: true,
      conditions: [{ anyOf: [{ not: { type: "KIND", operator: "EQUALS", value: "SERVICE" } }] }],
    };
    const { body } = await evaluate(harness.admin, { request: prodAsk, policies: [nested] });
    expect(body).toMatchObject({
      outcome: "REFUSED",
      refusal: { code: "policy_denied" },
      scopes: [
        {
          policies: [
            {
              name: "draft",
              standing: "denies",
              conditions: [{ inside: [{ inside: [{ truth: "false" }] }] }],
            },
          ],
        },
      ],
    });
  });

  test("is limited to oneself without the role admin", async () => {
    expect((await evaluate(await harness.keyOf("dev"), { request: prodAsk })).status).toBe(200);
    const other = await evaluate(await harness.keyOf("ann"), { request: prodAsk });
    expect(other.body["code"]).toBe("not_self");
  });
});

describe("identities", () => {
  test("are created, read and changed", async () => {
    const made = await admin("POST", "/identities", {
      email: "New.Person@company.com",
      name: "New Person",
      managerId: "id_lead",
      groups: ["dba"],
      links: { slack: { teamId: "T0123", userId: "U0123" } },
    });
    expect(made.status).toBe(201);
    const id = String(made.body["id"]);
    expect(made.body).toEqual({
      id: expect.stringMatching(/^id_/),
      kind: "HUMAN",
      email: "new.person@company.com",
      name: "New Person",
      managerId: "id_lead",
      groups: ["dba"],
      active: true,
      links: { slack: { teamId: "T0123", userId: "U0123" } },
      managedBy: "api",
    });
    const changed = await admin("PATCH", `/identities/${id}`, {
      managerId: null,
      groups: [],
      name: "Newer",
      active: false,
    });
    expect(changed.body).toMatchObject({ managerId: null, groups: [], name: "Newer", active: false });
    expect((await admin("GET", `/identities/${id}`)).body).toEqual(changed.body);
    expect((await admin("PATCH", `/identities/${id}`, { kind: "SERVICE", email: null })).body).toMatchObject({
      kind: "SERVICE",
      email: null,
    });
  });

  test("any key may read its own identity", async () => {
    const key = await harness.keyOf("dev", "requester");
    expect((await harness.call("GET", `${api}/identities/id_dev`, { key })).body).toMatchObject({
      name: "dev",
    });
    expect((await harness.call("GET", `${api}/identities/id_ann`, { key })).status).toBe(403);
  });

  test("managed by the file accept changes of `active` only, which apply at once", async () => {
    const key = await harness.keyOf("bob");
    expect((await admin("PATCH", "/identities/id_bob", { name: "Robert" })).body["code"]).toBe(
      "managed_by_file",
    );
    expect((await admin("PATCH", "/identities/id_bob", { active: false })).body).toMatchObject({
      active: false,
    });
    expect((await harness.call("GET", jit, { key })).body["code"]).toBe("identity_inactive");
    expect((await admin("PATCH", "/identities/id_bob", { active: true })).body).toMatchObject({
      active: true,
    });
    expect((await harness.call("GET", jit, { key })).status).toBe(200);
  });

  test.each([
    ["a HUMAN without an address", { name: "x" }, "invalid_body"],
    ["an id of another kind", { id: "jit_x", kind: "SERVICE", name: "x" }, "invalid_body"],
    ["the built-in id", { id: "id_admin", kind: "SERVICE", name: "x" }, "invalid_body"],
    ["an id that is taken", { id: "id_dev", kind: "SERVICE", name: "x" }, "name_taken"],
    ["an address that is taken, in other letters", { email: "DEV@company.com", name: "x" }, "name_taken"],
    ["a manager nobody knows", { kind: "SERVICE", name: "x", managerId: "id_nobody" }, "identity_unknown"],
    ["managedBy", { kind: "SERVICE", name: "x", managedBy: "file" }, "invalid_body"],
  ])("%s is refused", async (_, body, code) => {
    expect((await admin("POST", "/identities", body)).body["code"]).toBe(code);
  });
});

test("a lockdown refuses all new access but break-glass, and existing access stays", async () => {
  const { id, token } = await harness.claimed();
  const waiting = await harness.approved({ scopes: ["read:prod:b"] });
  const never = { on: false, changedAt: null, changedBy: null, reason: null };
  expect((await admin("GET", "/lockdown")).body).toEqual(never);
  expect((await harness.call("GET", "/metrics")).text).toContain("\njit_lockdown 0\n");
  expect((await admin("POST", "/lockdown", { on: true, reason: "an intruder" })).body).toEqual({ on: true });
  expect((await admin("GET", "/lockdown")).body).toEqual({
    on: true,
    changedAt: new Date(harness.harness.clock.now()).toISOString(),
    changedBy: "Administrator key",
    reason: "an intruder",
  });
  expect((await harness.call("GET", "/metrics")).text).toContain("\njit_lockdown 1\n");
  const dev = await harness.keyOf("dev");
  expect((await harness.call("POST", jit, { key: dev, body: devAsk })).body["code"]).toBe("policy_denied");
  expect((await harness.call("POST", `${jit}/${waiting}/claim`, { key: dev })).body["code"]).toBe(
    "policy_denied",
  );
  const more = { duration: "1h", reason: "more" };
  expect((await harness.call("POST", `${jit}/${id}/extend`, { key: dev, body: more })).body["code"]).toBe(
    "policy_denied",
  );
  expect((await harness.call("GET", `${api}/check?scope=read:prod:orders-db`, { key: token })).status).toBe(
    200,
  );
  const emergency = { ...prodAsk, duration: "30m", breakGlass: true };
  expect((await harness.call("POST", jit, { key: dev, body: emergency })).body["status"]).toBe("ACTIVE");
  expect((await admin("POST", "/lockdown", { on: false, reason: "over" })).body).toEqual({ on: false });
  expect((await admin("GET", "/lockdown")).body).toMatchObject({ on: false, reason: "over" });
  const twice = ["one", "other"].map((reason) => admin("POST", "/lockdown", { on: true, reason }));
  expect((await Promise.all(twice)).map(({ body }) => body)).toEqual([{ on: true }, { on: true }]);
  const changes = await admin("GET", "/audit?action=lockdown.changed");
  expect(changes.body["data"]).toHaveLength(3);
  await admin("POST", "/lockdown", { on: false, reason: "over" });
  // Repeating it changes nothing.
  expect((await admin("POST", "/lockdown", { on: false, reason: "again" })).body).toEqual({ on: false });
  expect((await admin("GET", "/lockdown")).body).toMatchObject({ on: false, reason: "over" });
  expect((await harness.call("POST", `${jit}/${waiting}/claim`, { key: dev })).status).toBe(200);
});
