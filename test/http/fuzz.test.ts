import * as fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { api, entries, jit, openHttpHarness, type HttpHarness, type Json } from "./support/http-harness.ts";

let harness: HttpHarness;
let keys: readonly (string | undefined)[];
let operations: readonly (readonly [method: string, path: string])[];
let ids: readonly string[];
beforeAll(async () => {
  harness = await openHttpHarness();
  const { id, token } = await harness.claimed();
  ids = [id, await harness.ask({ scopes: ["read:prod:b"] }), "id_dev", "id_bot", "pol_dev", "jit_none"];
  keys = [
    harness.admin,
    await harness.keyOf("dev"),
    await harness.keyOf("sam", "requester", "approver", "auditor", "resource"),
    token,
    undefined,
  ];
  const { body } = await harness.call("GET", "/openapi.json");
  operations = entries(body["paths"]).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => [method, path] as const),
  );
});
afterAll(async () => {
  await harness.close();
});

const anyText = fc.oneof(
  fc.string({ unit: "binary", maxLength: 40 }),
  fc.string({ unit: "grapheme-composite", maxLength: 20 }),
);
/** A valid body for each route, by the end of its path. */
const good: Readonly<Record<string, Json>> = {
  "post jit": { identityId: "id_dev", reason: "x", scopes: ["read:prod:c"], duration: "1h", ticket: "OPS-1" },
  "post approve": { comment: "ok", duration: "30m" },
  "post deny": { reason: "no" },
  "post review": { outcome: "justified", comment: "ok" },
  "post cancel": { reason: "no" },
  "post claim": { sshPublicKey: "ssh-ed25519 AAAA" },
  "post complete": { note: "done" },
  "post extend": { duration: "1h", reason: "more" },
  "post revoke": { reason: "enough" },
  "post lockdown": { on: false, reason: "over" },
  "post policies": {
    name: "fuzz",
    priority: 1,
    conditions: [{ type: "REASON", operator: "MATCHES", value: "x" }],
    approval: {
      stages: [{ approvers: ["group:dba"], required: 1, sla: "30m", escalateTo: [["group:security"]] }],
    },
    maxDuration: "8h",
  },
  "post evaluate": {
    request: { identityId: "id_dev", reason: "x", scopes: ["read:prod:c"], duration: "1h" },
    policies: [
      {
        name: "d",
        deny: true,
        conditions: [
          { type: "TIME", operator: "WITHIN", value: { from: "09:00", to: "18:00", timezone: "UTC" } },
        ],
      },
    ],
  },
  "post identities": {
    kind: "SERVICE",
    name: "x",
    groups: ["dba"],
    links: { slack: { teamId: "T01", userId: "U01" } },
  },
  "patch {id}": { name: "y", email: null, managerId: "id_dev", groups: [], active: true },
  "put {id}": {
    name: "fuzz",
    autoApprove: true,
    conditions: [{ type: "DURATION", operator: "BETWEEN", value: ["1h", "2h"] }],
  },
  "post api-keys": {
    identityId: "id_dev",
    roles: ["requester"],
    name: "k",
    expiresAt: "2026-06-01T00:00:00Z",
  },
};

/** Valid bodies with parts replaced, omitted or added. */
const spoilt = (body: Json): fc.Arbitrary<Json> => {
  const fields = Object.entries(body).map(([field, value]) => {
    const alike = Array.isArray(value) ? fc.array(fc.oneof(anyText, fc.constantFrom("", ...value))) : anyText;
    const spoilts = [alike, fc.constant(undefined), fc.jsonValue()];
    return [field, fc.oneof({ weight: 12, arbitrary: fc.constant(value) }, ...spoilts)];
  });
  const extra = fc.oneof({ weight: 9, arbitrary: fc.constant({}) }, fc.dictionary(anyText, fc.jsonValue()));
  return fc.tuple(fc.record(Object.fromEntries(fields)), extra).map(([one, more]) => ({ ...one, ...more }));
};
const anyBody = fc.oneof(
  fc.jsonValue().map((value) => JSON.stringify(value)),
  fc.string({ unit: "binary" }),
  fc.constantFrom(
    "",
    "{",
    "[".repeat(40_000),
    "x".repeat(70_000),
    '{"__proto__":1}',
    "token=x&token_type_hint=y",
  ),
);
const headerText = fc.string({
  unit: fc.constantFrom(...Array.from("abcdefz019 ,;:/=_-*\"'()<>\\")),
  maxLength: 40,
});
const anyHeaders = fc.record(
  {
    "content-type": fc.oneof(
      { weight: 5, arbitrary: fc.constant("application/json") },
      fc.constantFrom("application/x-www-form-urlencoded", "text/plain"),
      headerText,
    ),
    accept: headerText,
    authorization: headerText,
    "x-forwarded-for": headerText,
    "x-request-id": headerText,
    "x-jit-scope": headerText,
    "content-encoding": headerText,
    "accept-version": headerText,
    expect: headerText,
  },
  { requiredKeys: [] },
);
const anyMethod = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom("GET", "POST", "PUT", "PATCH", "DELETE") },
  fc.constantFrom("HEAD", "OPTIONS", "TRACE", "QUERY", "PROPFIND", "M-SEARCH"),
);

const anyQuery = fc.oneof(
  { weight: 6, arbitrary: fc.constant("") },
  fc.webQueryParameters(),
  fc.constantFrom("limit=5", "scope=%", "status=ACTIVE", "cursor=cDE", "after=1", "scope=a:b&scope=c:d"),
);

interface Sent {
  readonly method: string;
  readonly url: string;
  readonly payload: string | null;
  readonly headers: Readonly<Record<string, string>>;
}

/** Sends the call and checks the response; returns its status and code. */
const send = async ({ method, url, payload, headers }: Sent, key: string | undefined): Promise<string> => {
  const answer = await harness.call(method, url, {
    ...(payload !== null && { payload }),
    headers: { ...headers, ...(key !== undefined && { authorization: `Bearer ${key}` }) },
  });
  if (answer.status >= 500) throw new Error(answer.text);
  const said = `${answer.status} ${typeof answer.body["code"] === "string" ? answer.body["code"] : ""}`;
  if (answer.status < 400 || method === "HEAD") return said;
  if (/^\/api\/v1\/check(?:[/?]|$)/.test(url)) {
    expect([401, 403]).toContain(answer.status);
    expect(answer.text).toBe("");
    return said;
  }
  expect(answer.headers["content-type"]).toBe("application/problem+json");
  expect(answer.body).toMatchObject({ code: expect.any(String), status: answer.status });
  return said;
};

test("no input causes a 5xx, and every refusal is a problem document", async () => {
  const call = fc.record({
    method: anyMethod,
    place: fc.nat(),
    id: fc.oneof(
      fc.nat(5).map((index) => ({ index })),
      anyText.map((text) => ({ text })),
    ),
    wild: fc.oneof({ weight: 3, arbitrary: fc.constant(null) }, anyText),
    query: anyQuery,
    key: fc.nat(4),
    payload: fc.option(anyBody),
    headers: anyHeaders,
  });
  await fc.assert(
    fc.asyncProperty(call, async ({ method, place, id, wild, query, key, payload, headers }) => {
      const [, path = "/"] = operations[place % operations.length] ?? [];
      const named = "index" in id ? (ids[id.index] ?? "") : encodeURI(id.text.toWellFormed());
      const below = wild === null ? "" : `/${encodeURIComponent(wild.toWellFormed())}`;
      const url = `${path.replace("{id}", named)}${below}?${query}`;
      await send({ method, url, payload, headers }, keys[key]);
    }),
    { numRuns: 1_500 },
  );
});

test("nearly valid input causes no 5xx either", async () => {
  const seen = new Map<string, number>();
  const call = fc
    .nat()
    .map((place) => operations[place % operations.length] ?? ["get", "/"])
    .chain(([method, path]) => {
      const body = good[`${method} ${path.split("/").at(-1) ?? ""}`];
      return fc.record({
        method: fc.constant(method.toUpperCase()),
        path: fc.constant(path),
        id: fc.nat(5),
        query: anyQuery,
        key: fc.oneof({ weight: 9, arbitrary: fc.nat(2) }, fc.nat(4)),
        body: body === undefined ? fc.constant(null) : spoilt(body),
      });
    });
  await fc.assert(
    fc.asyncProperty(call, async ({ method, path, id, query, key, body }) => {
      const isForm = path.endsWith("/introspect") || path === `${api}/credentials/revoke`;
      const said = await send(
        {
          method,
          url: `${path.replace("{id}", ids[id] ?? "")}${query === "" ? "" : `?${query}`}`,
          payload: isForm ? "token=kd_jit_x" : body === null ? null : JSON.stringify(body),
          headers: { "content-type": isForm ? "application/x-www-form-urlencoded" : "application/json" },
        },
        keys[key],
      );
      seen.set(said, (seen.get(said) ?? 0) + 1);
    }),
    { numRuns: 4_000 },
  );
  // Some calls passed authentication and the schemas.
  for (const said of [
    "200 ",
    "201 ",
    "422 invalid_body",
    "422 invalid_duration",
    "409 not_active",
    "409 name_taken",
  ]) {
    expect([...seen.keys()]).toContain(said);
  }
  expect((await harness.call("GET", `${api}/audit/verify`, { key: harness.admin })).body["ok"]).toBe(true);
});

test("free text is stored and returned unchanged", async () => {
  const key = await harness.keyOf("lead");
  let count = 0;
  await fc.assert(
    fc.asyncProperty(fc.string({ unit: "binary", minLength: 1, maxLength: 200 }), async (reason) => {
      fc.pre(reason.trim() !== "");
      const scopes = [`read:prod:words${count++}`];
      const asked = await harness.call("POST", jit, {
        key,
        body: { identityId: "id_lead", reason, scopes, duration: "1h" },
      });
      if (asked.status !== 201) throw new Error(asked.text);
      expect(asked.body["reason"]).toBe(reason.toWellFormed());
      const cancelled = await harness.call("POST", `${jit}/${String(asked.body["id"])}/cancel`, { key });
      expect(cancelled.body["reason"]).toBe(reason.toWellFormed());
    }),
    { numRuns: 60 },
  );
});
