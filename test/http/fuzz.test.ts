import * as fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { api, entries, jit, openHouse, type HttpHouse } from "./support/http-house.ts";

let house: HttpHouse;
let keys: readonly (string | undefined)[];
let paths: readonly string[];
let ids: readonly string[];
beforeAll(async () => {
  house = await openHouse();
  const { id, token } = await house.claimed();
  ids = [id, await house.ask({ scopes: ["read:prod:b"] }), "id_dev", "id_bot", "pol_dev", "jit_none"];
  keys = [
    house.admin,
    await house.keyOf("dev"),
    await house.keyOf("sam", "requester", "approver", "auditor", "resource"),
    token,
    undefined,
  ];
  paths = entries((await house.call("GET", "/openapi.json")).body["paths"]).map(([path]) => path);
});
afterAll(async () => {
  await house.close();
});

const anyText = fc.oneof(
  fc.string({ unit: "binary", maxLength: 40 }),
  fc.string({ unit: "grapheme-composite", maxLength: 20 }),
);
const likely = {
  identityId: fc.oneof(fc.constantFrom("id_dev", "id_sam", "id_admin"), anyText),
  reason: anyText,
  comment: anyText,
  note: anyText,
  ticket: anyText,
  name: anyText,
  email: fc.oneof(fc.constant("x@company.com"), anyText),
  scopes: fc.oneof(
    fc.array(fc.constantFrom("read:dev:a", "read:prod:b", "read:once:x", "x:y")),
    fc.array(anyText),
  ),
  duration: fc.oneof(fc.constantFrom("1h", "30m", "PT4H", "30d"), anyText),
  breakGlass: fc.boolean(),
  metadata: fc.dictionary(anyText, anyText),
  outcome: fc.constantFrom("justified", "unjustified"),
  on: fc.constant(false),
  roles: fc.array(fc.constantFrom("requester", "admin", "nobody")),
  groups: fc.array(anyText),
  conditions: fc.array(fc.jsonValue()),
  approval: fc.jsonValue(),
  request: fc.jsonValue(),
  kind: fc.constantFrom("HUMAN", "SERVICE"),
};
const anyBody = fc.oneof(
  { weight: 4, arbitrary: fc.record(likely, { requiredKeys: [] }).map((body) => JSON.stringify(body)) },
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

test("nothing that can be sent is answered with a 5xx, and everything that is refused with a problem document", async () => {
  const call = fc.record({
    method: anyMethod,
    path: fc.nat(),
    id: fc.oneof(
      fc.nat(5).map((index) => ({ index })),
      anyText.map((text) => ({ text })),
    ),
    wild: fc.option(anyText),
    query: fc.option(
      fc.oneof(
        fc.webQueryParameters(),
        fc.constantFrom("limit=5", "scope=%", "status=ACTIVE", "cursor=cDE", "after=1"),
      ),
    ),
    key: fc.nat(4),
    payload: fc.option(anyBody),
    headers: anyHeaders,
  });
  await fc.assert(
    fc.asyncProperty(call, async ({ method, path, id, wild, query, key, payload, headers }) => {
      const template = paths[path % paths.length] ?? "/";
      const named = "index" in id ? (ids[id.index] ?? "") : encodeURI(id.text.toWellFormed());
      const url = `${template.replace("{id}", named)}${wild === null ? "" : `/${encodeURIComponent(wild.toWellFormed())}`}${query === null ? "" : `?${query}`}`;
      const bearer = keys[key];
      const answer = await house.call(method, url, {
        ...(payload !== null && { payload }),
        headers: { ...headers, ...(bearer !== undefined && { authorization: `Bearer ${bearer}` }) },
      });
      if (answer.status >= 500) throw new Error(answer.text);
      if (answer.status < 400 || method === "HEAD") return;
      if (url.startsWith(`${api}/check/`) || /^\/api\/v1\/check(\?|$)/.test(url)) {
        expect([401, 403]).toContain(answer.status);
        expect(answer.text).toBe("");
        return;
      }
      expect(answer.headers["content-type"]).toBe("application/problem+json");
      expect(answer.body).toMatchObject({ code: expect.any(String), status: answer.status });
    }),
    { numRuns: 1_500 },
  );
  expect((await house.call("GET", `${api}/audit/verify`, { key: house.admin })).body["ok"]).toBe(true);
}, 60_000);

test("whatever words a person uses are kept as they are and shown again", async () => {
  const key = await house.keyOf("lead");
  let count = 0;
  await fc.assert(
    fc.asyncProperty(fc.string({ unit: "binary", minLength: 1, maxLength: 200 }), async (reason) => {
      fc.pre(reason.trim() !== "");
      const scopes = [`read:prod:words${count++}`];
      const asked = await house.call("POST", jit, {
        key,
        body: { identityId: "id_lead", reason, scopes, duration: "1h" },
      });
      if (asked.status !== 201) throw new Error(asked.text);
      expect(asked.body["reason"]).toBe(reason.toWellFormed());
      const cancelled = await house.call("POST", `${jit}/${String(asked.body["id"])}/cancel`, { key });
      expect(cancelled.body["reason"]).toBe(reason.toWellFormed());
    }),
    { numRuns: 60 },
  );
});
