import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { devAsk, jit, api, openHttpHarness, prodAsk, type HttpHarness } from "../support/http-harness.ts";

let harness: HttpHarness;
let key: string;
beforeAll(async () => {
  harness = await openHttpHarness();
  key = await harness.keyOf("dev", "requester", "approver", "admin", "resource");
});
afterAll(async () => {
  await harness.close();
});

const json = { "content-type": "application/json" };
const post = (payload: string | Buffer, headers: Readonly<Record<string, string>> = json, url = jit) =>
  harness.call("POST", url, { key, payload, headers });
const nested = (depth: number): string => `${'{"a":'.repeat(depth - 1)}{}${"}".repeat(depth - 1)}`;

describe("JSON that is refused before its fields are validated", () => {
  test.each([
    ["an open brace", "{"],
    ["a bare word", "yes"],
    ["two documents", "{}{}"],
    ["__proto__ at the top", '{"__proto__":{"admin":true}}'],
    ["__proto__ further down", '{"metadata":{"__proto__":"x"}}'],
    ["__proto__ in escapes", '{"\\u005f_proto__":{"admin":true}}'],
    ["constructor.prototype", '{"constructor":{"prototype":{"admin":true}}}'],
    ["17 levels", nested(17)],
    ["thousands of levels", "[".repeat(30_000)],
  ])("%s → 400 malformed", async (_, payload) => {
    const { status, body } = await post(payload);
    expect({ status, code: body["code"] }).toEqual({ status: 400, code: "malformed" });
  });

  test("16 levels are read, and braces inside texts are no levels", async () => {
    expect((await post(nested(16))).body["code"]).toBe("invalid_body");
    const text = JSON.stringify({ ...prodAsk, scopes: ["read:prod:b"], reason: '{"[{'.repeat(40) });
    expect((await post(text)).status).toBe(201);
  });
});

describe("fields", () => {
  test.each([
    ["an array", [], ""],
    ["null", null, ""],
    ["a number for a text", { ...prodAsk, reason: 7 }, "reason"],
    ["a reason of nothing but spaces", { ...prodAsk, reason: "   " }, "reason"],
    ["a reason of 2,001 characters", { ...prodAsk, reason: "x".repeat(2_001) }, "reason"],
    ["a missing reason", { ...prodAsk, reason: undefined }, "reason"],
    ["an unknown field", { ...prodAsk, admin: true }, "admin"],
    ["an unknown channel", { ...prodAsk, notifyChannels: ["fax"] }, "notifyChannels.0"],
    ["a scope that is no text", { ...prodAsk, scopes: [7] }, "scopes.0"],
    ["metadata in two levels", { ...prodAsk, metadata: { a: { b: "c" } } }, "metadata.a"],
    ["a metadata text of 201 characters", { ...prodAsk, metadata: { a: "x".repeat(201) } }, "metadata.a"],
    [
      "21 metadata fields",
      { ...prodAsk, metadata: Object.fromEntries(Array.from({ length: 21 }, (_, one) => [`f${one}`, ""])) },
      "metadata",
    ],
    ["breakGlass as a text", { ...prodAsk, breakGlass: "true" }, "breakGlass"],
  ])("%s → 422 invalid_body naming the place", async (_, body, path) => {
    const answer = await harness.call("POST", jit, { key, body });
    expect(answer.status).toBe(422);
    expect(answer.body).toMatchObject({ code: "invalid_body", errors: [{ path }] });
  });

  test("a reason of 2,000 characters and 20 metadata fields of 200 are accepted", async () => {
    const metadata = Object.fromEntries(Array.from({ length: 20 }, (_, one) => [`f${one}`, "x".repeat(200)]));
    const body = { ...devAsk, scopes: ["read:dev:long"], reason: "x".repeat(2_000), metadata };
    expect((await harness.call("POST", jit, { key, body })).status).toBe(201);
  });

  test.each([
    ["no scopes", { scopes: [] }, "invalid_scope"],
    ["21 scopes", { scopes: Array.from({ length: 21 }, (_, one) => `read:prod:${one}`) }, "invalid_scope"],
    ["a wildcard", { scopes: ["read:prod:*"] }, "invalid_scope"],
    ["no duration at all", { duration: "" }, "invalid_duration"],
    ["31 days", { duration: "31d" }, "invalid_duration"],
  ])("%s has its own code", async (_, more, code) => {
    const answer = await harness.call("POST", jit, { key, body: { ...prodAsk, ...more } });
    expect({ status: answer.status, code: answer.body["code"] }).toEqual({ status: 422, code });
  });
});

describe("size and type", () => {
  test("64 KiB are read and one byte more is 413", async () => {
    const filled = (bytes: number) => `{"a":"${"x".repeat(bytes - 8)}"}`;
    expect((await post(filled(65_536))).status).toBe(422);
    expect((await post(filled(65_537))).body["code"]).toBe("too_large");
  });

  test.each([
    ["text/plain", "{}"],
    ["application/x-www-form-urlencoded", "reason=x"],
    ["application/jsonp", "{}"],
    ["garbage", "{}"],
    ["multipart/form-data; boundary=x", "--x--"],
  ])("%s → 415", async (type, payload) => {
    expect((await post(payload, { "content-type": type })).body["code"]).toBe("unsupported_type");
  });

  test("a body without a type, and a compressed one → 415", async () => {
    expect((await post("{}", {})).body["code"]).toBe("unsupported_type");
    expect((await post("{}", { ...json, "content-encoding": "gzip" })).body["code"]).toBe("unsupported_type");
  });

  test("form routes accept forms only", async () => {
    for (const path of ["introspect", "revoke"]) {
      const answer = await harness.call("POST", `${api}/credentials/${path}`, { key, body: { token: "x" } });
      expect(answer.body["code"]).toBe("unsupported_type");
    }
  });

  test("charset and case of the content type do not matter", async () => {
    const payload = JSON.stringify({ ...devAsk, scopes: ["read:dev:charset"] });
    expect((await post(payload, { "content-type": "Application/JSON; charset=UTF-8" })).status).toBe(201);
  });
});

describe("an empty body", () => {
  test.each([
    ["no body and no type", undefined, {}],
    ["no body, JSON named", undefined, json],
    ["nothing, JSON named", "", { ...json, "content-length": "0" }],
    [
      "nothing, a form named, as curl does",
      "",
      { "content-type": "application/x-www-form-urlencoded", "content-length": "0" },
    ],
    ["an empty object", "{}", json],
  ])("%s does for a verb whose fields may all be left out", async (name, payload, headers) => {
    const scopes = [`read:prod:${name.replaceAll(/[^a-z]/gi, "")}`];
    const id = await harness.ask({ scopes });
    const answer = await harness.call("POST", `${jit}/${id}/cancel`, {
      key,
      headers,
      ...(payload !== undefined && { payload }),
    });
    expect(answer.body).toMatchObject({ status: "CANCELLED" });
  });

  test("is refused where a field is required", async () => {
    const answer = await harness.call("POST", `${jit}/jit_x/revoke`, { key });
    expect(answer.body).toMatchObject({ code: "invalid_body", errors: [{ path: "reason" }] });
  });
});

describe("methods and paths", () => {
  test.each([
    ["PUT", jit, "GET, HEAD, POST"],
    ["DELETE", `${jit}/jit_x`, "GET, HEAD"],
    ["GET", `${jit}/jit_x/approve`, "POST"],
    ["OPTIONS", `${api}/policies/pol_x`, "GET, HEAD, DELETE, PUT"],
    ["POST", "/healthz", "GET, HEAD"],
    ["PROPFIND", `${api}/identities`, "GET, HEAD, POST"],
    ["TRACE", "/openapi.json", "GET, HEAD"],
  ])("%s %s → 405 saying what is taken", async (method, url, allowed) => {
    const { status, headers, body } = await harness.call(method, url, { key, body: { a: 1 } });
    expect({ status, code: body["code"] }).toEqual({ status: 405, code: "method_not_allowed" });
    expect(String(headers["allow"]).split(", ").toSorted()).toEqual(allowed.split(", ").toSorted());
  });

  test.each([
    "/",
    "/api",
    "/api/v1",
    "/api/v2/policies",
    `${jit}/a/b/c`,
    `${api}/checks`,
    "/docs/static/none.js",
    "/.git/config",
  ])("%s → 404, with or without a body", async (url) => {
    for (const method of ["GET", "POST"]) {
      const answer = await harness.call(
        method,
        url,
        method === "POST" ? { payload: "{", headers: json } : {},
      );
      expect(["not_found", "method_not_allowed"]).toContain(answer.body["code"]);
      expect(answer.headers["content-type"]).toBe("application/problem+json");
    }
  });

  test.each(["/%", `${jit}/%E0%A4%A`, "/%zz?x=1"])("%s does not decode → 400 malformed", async (url) => {
    const { status, body, headers } = await harness.call("GET", url, { key });
    expect({ status, code: body["code"] }).toEqual({ status: 400, code: "malformed" });
    expect(headers["x-request-id"]).toBeDefined();
  });

  test("a path parameter longer than any id is not found", async () => {
    expect((await harness.call("GET", `${jit}/${"x".repeat(5_000)}`, { key })).body["code"]).toBe(
      "not_found",
    );
  });
});
