import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  api,
  jit,
  openHttpHarness,
  prodAsk,
  type Call,
  type HttpHarness,
  type Json,
} from "../support/http-harness.ts";

let harness: HttpHarness;
beforeAll(async () => {
  harness = await openHttpHarness();
});
afterAll(async () => {
  await harness.close();
});

/** An active key and an active credential, each pasted once where it does not belong. */
const pastable = {
  kd_live: async () => {
    const made = await harness.call("POST", `${api}/api-keys`, {
      key: harness.admin,
      body: { identityId: "id_cid", roles: ["approver"] },
    });
    return String(made.body["token"]);
  },
  kd_jit: async () => (await harness.claimed({ scopes: [`read:prod:${String(count++)}`] })).token,
} as const;
let count = 0;

async function isLiving(token: string): Promise<boolean> {
  const url = token.startsWith("kd_live") ? `${api}/identities/me` : `${api}/check?scope=read:x`;
  return (await harness.call("GET", url, { key: token })).status !== 401;
}

interface Place {
  readonly method?: string;
  readonly url: string;
  readonly call: Call;
}
type Pasted = (token: string) => Place | Promise<Place>;
const post = (url: string, body: Json, more: Call = {}): Place => ({
  url: `${api}${url}`,
  call: { body, ...more },
});
const policy = { name: "p", deny: true };
const person = { id: "id_new", email: "new@company.com", name: "New" };

/** The positions where a token is refused, with the status and path of the refusal. */
const refused: Readonly<Record<string, readonly [Pasted, number, string | null]>> = {
  "a policy's name": [(token) => post("/policies", { ...policy, name: `x ${token}` }), 422, "name"],
  "a policy's description": [
    (token) => post("/policies", { ...policy, description: token }),
    422,
    "description",
  ],
  "a policy's message": [(token) => post("/policies", { ...policy, message: token }), 422, "message"],
  "a condition's value": [
    (token) =>
      post("/policies", { ...policy, conditions: [{ type: "REASON", operator: "CONTAINS", value: token }] }),
    422,
    "conditions.0.value",
  ],
  "a list of values": [
    (token) =>
      post("/policies", {
        ...policy,
        conditions: [{ not: { type: "GROUP", operator: "IN", value: ["a", token] } }],
      }),
    422,
    "conditions.0.not.value.1",
  ],
  "an approver": [
    (token) => post("/policies", { name: "p", approval: { stages: [{ approvers: [`group:${token}`] }] } }),
    422,
    "approval.stages.0.approvers.0",
  ],
  "a draft": [
    (token) => post("/policies/evaluate", { request: prodAsk, policies: [{ ...policy, name: token }] }),
    422,
    "policies.0.name",
  ],
  "a key's name": [
    (token) => post("/api-keys", { identityId: "id_ann", roles: ["approver"], name: token }),
    422,
    "name",
  ],
  "a person's name": [(token) => post("/identities", { ...person, name: token }), 422, "name"],
  "a person's address": [
    (token) => post("/identities", { ...person, email: `${token}@x.com` }),
    422,
    "email",
  ],
  "a person's group": [(token) => post("/identities", { ...person, groups: [token] }), 422, "groups.0"],
  "a person's link": [
    (token) => post("/identities", { ...person, links: { slack: { teamId: "T0123", userId: `U${token}` } } }),
    422,
    "links.slack.userId",
  ],
  "a change of a person": [
    (token) => ({ method: "PATCH", url: `${api}/identities/id_ann`, call: { body: { name: token } } }),
    422,
    "name",
  ],
  "a scope": [
    (token) => post("/credentials/jit", { ...prodAsk, scopes: [`read:${token}`] }),
    422,
    "scopes.0",
  ],
  "an unknown field": [(token) => post("/policies", { ...policy, colour: token }), 422, "colour"],
  "the name of an unknown field": [(token) => post("/policies", { ...policy, [token]: 1 }), 422, "kd_"],
  "the idempotency key": [
    (token) => post("/policies", policy, { headers: { "idempotency-key": token } }),
    400,
    null,
  ],
  "another header": [(token) => post("/policies", policy, { headers: { "x-note": token } }), 400, null],
  "a filter": [(token) => ({ method: "GET", url: `${jit}?scope=${token}`, call: {} }), 422, "scope"],
  "an unknown filter": [(token) => ({ method: "GET", url: `${jit}?q=${token}`, call: {} }), 422, "q"],
  "a cursor": [(token) => ({ method: "GET", url: `${jit}?cursor=${token}`, call: {} }), 422, "cursor"],
  "an id in the path": [(token) => ({ method: "GET", url: `${jit}/${token}`, call: {} }), 404, null],
  "the subject of an ask": [
    (token) => post("/credentials/jit", { ...prodAsk, identityId: token }),
    422,
    "identityId",
  ],
};

/** Everything that is stored, logged and returned. */
async function traces(answer: { readonly text: string; readonly headers: object }): Promise<string> {
  const { store } = harness.harness;
  const rows = await harness.harness.audit();
  const rulebook = await store.rulebook();
  const people = await store.identities({ limit: 200 });
  const keys = await store.keys({ limit: 200 });
  const requests = await store.requests({ now: harness.harness.clock.now() }, { limit: 200 });
  return JSON.stringify([answer.text, answer.headers, harness.log, rows, rulebook, people, keys, requests]);
}

describe.each(Object.entries(pastable))("a %s_ token", (_, made) => {
  test.each(Object.entries(refused))(
    "in %s is refused, ended, and repeated nowhere",
    async (__, [place, status, path]) => {
      const token = await made();
      const { method = "POST", url, call } = await place(token);
      const answer = await harness.call(method, url, { key: harness.admin, ...call });
      expect(answer.status).toBe(status);
      if (path !== null) {
        expect(answer.body["errors"]).toMatchObject([{ path: expect.stringContaining(path) }]);
      }
      const { text, headers } = answer;
      expect(await traces({ text, headers })).not.toContain(token.slice(8));
      expect(await isLiving(token)).toBe(false);
    },
  );

  test.each<[string, (token: string) => Json]>([
    ["reason", (token) => ({ reason: `look: ${token}` })],
    ["ticket", (token) => ({ ticket: token })],
    ["metadata", (token) => ({ metadata: { note: token, [`${token}!`]: "x" } })],
  ])("in people's %s is masked, and ended", async (__, words) => {
    const token = await made();
    const answer = await harness.call("POST", jit, {
      key: await harness.keyOf("dev"),
      body: { ...prodAsk, scopes: [`read:prod:w${String(count++)}`], ...words(token) },
    });
    expect(answer.status).toBe(201);
    expect(await traces(answer)).not.toContain(token.slice(8));
    expect(answer.text).toContain(`…${token.slice(-4)}`);
    expect(await isLiving(token)).toBe(false);
  });

  test("in the reason of a dry run is masked in the response", async () => {
    const token = await made();
    const answer = await harness.call("POST", `${api}/policies/evaluate`, {
      key: harness.admin,
      body: {
        request: { ...prodAsk, reason: token },
        policies: [{ ...policy, conditions: [{ type: "REASON", operator: "CONTAINS", value: "kd" }] }],
      },
    });
    expect([answer.status, answer.text.includes(token)]).toEqual([200, false]);
    expect(await isLiving(token)).toBe(false);
  });
});

test.each(["/connectors/lost/abandon", "/connectors/lost/confirm", "/lockdown", "/revoke-all"])(
  "people's reason is masked in %s as well, and not refused",
  async (url) => {
    const token = await pastable.kd_live();
    const rest = {
      "/connectors/lost/abandon": { object: "x" },
      "/connectors/lost/confirm": { place: "x" },
      "/lockdown": { on: false },
    }[url] ?? {
      scopePrefix: "nothing:",
    };
    const body = { ...rest, reason: `because ${token}` };
    const answer = await harness.call("POST", `${api}${url}`, { key: harness.admin, body });
    expect([answer.status === 422, answer.text.includes(token)]).toEqual([false, false]);
    expect(await isLiving(token)).toBe(false);
  },
);

test("a token is accepted as the bearer, and in the token field of a form", async () => {
  const { token } = await harness.claimed({ scopes: ["read:prod:bearer"] });
  const check = await harness.call("GET", `${api}/check?scope=read:prod:bearer`, {
    key: token,
    headers: { "x-original-uri": `/files?token=${token}` },
  });
  const asked = await harness.call("POST", `${api}/credentials/introspect`, {
    key: await harness.keyOf("bot", "resource"),
    form: { token },
  });
  expect([check.status, asked.body["active"]]).toEqual([200, true]);
});

test("a credential that completes its own request ends as completed, also when the note contains it", async () => {
  const { id, token } = await harness.claimed({ scopes: ["read:prod:own"] });
  const answer = await harness.call("POST", `${jit}/${id}/complete`, {
    key: token,
    body: { note: `done with ${token}` },
  });
  expect(answer.body).toMatchObject({ status: "COMPLETED" });
  expect(answer.text).not.toContain(token);
});

test("no route stores a token in a field that is not free text", async () => {
  const { body } = await harness.call("GET", "/openapi.json");
  const operations = Object.entries(body["paths"] as Record<string, object>).flatMap(([path, methods]) =>
    Object.keys(methods)
      .filter((method) => method !== "get" && path.startsWith("/api/v1"))
      .filter(() => !/introspect|credentials\/revoke$|\/check/.test(path))
      .map((method) => [method.toUpperCase(), path] as const),
  );
  expect(operations.length).toBeGreaterThan(15);
  for (const [method, path] of operations) {
    const token = await pastable.kd_live();
    const url = path.replaceAll(/\{\w+\}/g, "x");
    const answer = await harness.call(method, url, {
      key: harness.admin,
      body: { unheardOf: { deep: [token] } },
    });
    if (answer.status === 403) continue;
    expect([path, answer.status]).toEqual([path, 422]);
    expect([path, await isLiving(token)]).toEqual([path, false]);
  }
});
