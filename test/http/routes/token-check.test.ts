import { formatToken } from "../../../src/core/values/token-format.ts";
import { METHODS } from "node:http";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { assertPresent } from "../../../src/core/values/assert.ts";
import { dayMs, hourMs, minuteMs } from "../../../src/core/values/time.ts";
import { StoreUnavailable } from "../../../src/service/ports/store.ts";
import { allStaff } from "../../service/support/service-harness.ts";
import {
  api,
  httpPolicies,
  httpRules,
  jit,
  openHttpHarness,
  type HttpHarness,
} from "../support/http-harness.ts";

const check = `${api}/check`;
const scopes = ["read:prod:orders-db", "write:prod:orders-db"];

let harness: HttpHarness;
let id: string;
let token: string;
beforeEach(async () => {
  harness = await openHttpHarness();
  ({ id, token } = await harness.claimed({ scopes }));
});
afterEach(async () => {
  await harness.close();
});

describe("the check", () => {
  test("an active credential with all required scopes → 200 with its identity and without a body", async () => {
    const answer = await harness.call("GET", `${check}?scope=${scopes[0]}`, { key: token });
    expect(answer.status).toBe(200);
    expect(answer.text).toBe("");
    expect(answer.headers).toMatchObject({
      "x-jit-identity": "id_dev",
      "x-jit-scopes": scopes.join(" "),
      "x-jit-request": id,
      "cache-control": "no-store",
    });
  });

  test.each([
    ["one in the query", "?scope=read:prod:orders-db", {}, 200],
    ["two in the query", "?scope=read:prod:orders-db&scope=write:prod:orders-db", {}, 200],
    ["one in the header", "", { "x-jit-scope": "read:prod:orders-db" }, 200],
    ["two in one header, by comma", "", { "x-jit-scope": "read:prod:orders-db, write:prod:orders-db" }, 200],
    ["two in one header, by space", "", { "x-jit-scope": "read:prod:orders-db write:prod:orders-db" }, 200],
    ["two headers", "", { "x-jit-scope": scopes }, 200],
    ["one in each", "?scope=read:prod:orders-db", { "x-jit-scope": "write:prod:orders-db" }, 200],
    ["none at all", "", {}, 403],
    ["an empty one", "?scope=", { "x-jit-scope": " , " }, 403],
    ["one that is not held", "?scope=read:prod:users-db", {}, 403],
    [
      "a held one and another in the header",
      "?scope=read:prod:orders-db",
      { "x-jit-scope": "admin:prod:x" },
      403,
    ],
    ["a part of a held one", "?scope=read:prod:orders", {}, 403],
    ["other letters' case", "?scope=READ:prod:orders-db", {}, 403],
    ["what is no scope", "?scope=*", {}, 403],
    ["an array by another spelling", "?scope[]=read:prod:orders-db", {}, 403],
  ])("wanting %s", async (_, query, headers, status) => {
    const answer = await harness.call("GET", `${check}${query}`, { key: token, headers });
    expect({ status: answer.status, text: answer.text }).toEqual({ status, text: "" });
  });

  test("every method and body gets the same response, here and below", async () => {
    const paths = [check, `${check}/`, `${check}/any/path%zz/..//${"x".repeat(1_000)}`];
    const call = {
      payload: "x".repeat(100_000),
      headers: { "content-type": "garbage", "x-jit-scope": "read:prod:orders-db" },
    };
    for (const method of METHODS.filter((one) => one !== "CONNECT")) {
      for (const path of paths) {
        const holder = await harness.call(method, path, { ...call, key: token });
        expect({ method, path, status: holder.status, text: holder.text }).toEqual({
          method,
          path,
          status: 200,
          text: "",
        });
        const stranger = await harness.call(method, path, call);
        expect({ method, path, status: stranger.status }).toEqual({ method, path, status: 401 });
      }
    }
  });

  test.each([
    ["no credential", {}],
    ["another scheme", { authorization: "Basic ZGV2OmRldg==" }],
    ["an API key", { authorization: "Bearer API-KEY" }],
    ["a token nobody was given", { authorization: `Bearer kd_jit_${"0".repeat(36)}` }],
    ["no token at all", { authorization: "Bearer" }],
  ])("%s → 401", async (_, headers: Readonly<Record<string, string>>) => {
    const key = await harness.keyOf("dev");
    const sent = {
      ...headers,
      ...(headers["authorization"]?.endsWith("API-KEY") && { authorization: `Bearer ${key}` }),
    };
    const answer = await harness.call("GET", `${check}?scope=${scopes[0]}`, { headers: sent });
    expect({ status: answer.status, text: answer.text }).toEqual({ status: 401, text: "" });
    expect(answer.headers["www-authenticate"]).toBe("Bearer");
  });

  const ends: Record<string, () => Promise<unknown> | void> = {
    "its time is over": () => harness.harness.clock.pass(4 * hourMs),
    "it was completed": async () => harness.call("POST", `${jit}/${id}/complete`, { key: token }),
    "it was revoked": () =>
      harness.call("POST", `${jit}/${id}/revoke`, { key: harness.admin, body: { reason: "x" } }),
    "its holder was deactivated": () =>
      harness.call("PATCH", `${api}/identities/id_dev`, { key: harness.admin, body: { active: false } }),
    "it was reported as leaked": () => harness.call("POST", `${api}/credentials/revoke`, { form: { token } }),
  };
  test.each(Object.entries(ends))("%s → dead from that moment on", async (_, end) => {
    const resource = await harness.keyOf("bot", "resource");
    await end();
    expect((await harness.call("GET", `${check}?scope=${scopes[0]}`, { key: token })).status).toBe(401);
    const found = await harness.call("POST", `${api}/credentials/introspect`, {
      key: resource,
      form: { token },
    });
    expect(found.text).toBe('{"active":false}');
  });

  test("one millisecond before its expiry it works, at its expiry it does not", async () => {
    const open = () => harness.call("GET", `${check}?scope=${scopes[0]}`, { key: token });
    harness.harness.clock.pass(4 * hourMs - 1);
    expect((await open()).status).toBe(200);
    harness.harness.clock.pass(1);
    expect((await open()).status).toBe(401);
  });
});

test("a store that fails is a 503 without a body", async () => {
  const broken = await openHttpHarness({
    changed: (services) => ({
      ...services,
      tokenChecks: {
        ...services.tokenChecks,
        check: async () => {
          throw new StoreUnavailable("SQLITE_IOERR");
        },
      },
    }),
  });
  const answer = await broken.call("GET", `${check}?scope=a:b`, { key: token });
  await broken.close();
  expect({ status: answer.status, text: answer.text }).toEqual({ status: 503, text: "" });
});

describe("introspection", () => {
  const introspect = async (form: Readonly<Record<string, string>>) =>
    harness.call("POST", `${api}/credentials/introspect`, {
      key: await harness.keyOf("bot", "resource"),
      form,
    });

  test("describes an active credential, and forbids caching", async () => {
    harness.harness.clock.pass(minuteMs);
    const answer = await introspect({ token, token_type_hint: "access_token", something: "else" });
    expect(answer.headers["cache-control"]).toBe("no-store");
    expect(answer.body).toEqual({
      active: true,
      scope: scopes.join(" "),
      sub: "id_dev",
      username: "dev@company.com",
      exp: Date.UTC(2026, 0, 15, 14, 30) / 1000,
      iat: Date.UTC(2026, 0, 15, 10, 30) / 1000,
      jti: id,
      break_glass: false,
    });
  });

  test("omits the address of somebody without one", async () => {
    const [dev, ...others] = allStaff;
    const { email: _, ...withoutAddress } = assertPresent(dev, "dev");
    await harness.harness.configure(httpPolicies, httpRules, [withoutAddress, ...others]);
    const { text, body } = await introspect({ token });
    expect(body).toMatchObject({ active: true, sub: "id_dev" });
    expect(text).not.toContain("username");
  });

  test.each(["", "x", `kd_jit_${"A".repeat(36)}`, "ü", "a b"])("%j → exactly inactive", async (text) => {
    const answer = await introspect({ token: text });
    expect({ status: answer.status, text: answer.text }).toEqual({ status: 200, text: '{"active":false}' });
  });

  test("an API key is never an active credential", async () => {
    expect((await introspect({ token: await harness.keyOf("dev") })).text).toBe('{"active":false}');
  });

  test("requires exactly one token", async () => {
    expect((await introspect({})).body["code"]).toBe("invalid_body");
    const twice = await harness.call("POST", `${api}/credentials/introspect`, {
      key: await harness.keyOf("bot", "resource"),
      payload: "token=a&token=b",
      headers: { "content-type": "application/x-www-form-urlencoded" },
    });
    expect(twice.body["code"]).toBe("malformed");
  });
});

describe("a leak report", () => {
  const report = (form: Readonly<Record<string, string>>) =>
    harness.call("POST", `${api}/credentials/revoke`, { form });

  test("returns the same response for every token, and requires no key", async () => {
    for (const text of [token, token, "x", "", `kd_live_${"A".repeat(36)}`]) {
      const answer = await report({ token: text });
      expect({ status: answer.status, text: answer.text }).toEqual({ status: 200, text: "" });
    }
    expect((await report({})).status).toBe(200);
  });

  test("ends an API key at once", async () => {
    const key = await harness.keyOf("ann");
    await report({ token: key });
    expect((await harness.call("GET", jit, { key })).status).toBe(401);
  });

  test.each([
    ["a line end behind it, as a file has", (one: string) => `${one}\n`],
    ["white space around it", (one: string) => ` \t${one} `],
    ["the line of a log around it", (one: string) => `export JIT_TOKEN="${one}" # oops`],
  ])("finds the token with %s", async (_, around) => {
    expect((await report({ token: around(token) })).status).toBe(200);
    expect((await harness.call("GET", `${check}?scope=${scopes[0]}`, { key: token })).status).toBe(401);
  });

  test("revokes every token in it", async () => {
    const many = Array.from({ length: 40 }, (_, count) =>
      formatToken("jit", String(count).padStart(30, "0")),
    );
    expect((await report({ token: [...many, token].join("\n") })).status).toBe(200);
    expect((await harness.call("GET", `${check}?scope=${scopes[0]}`, { key: token })).status).toBe(401);
  });

  test("of a token that has ended changes nothing", async () => {
    harness.harness.clock.pass(dayMs);
    await report({ token });
    const { body } = await harness.call("GET", `${jit}/${id}`, { key: await harness.keyOf("dev") });
    expect(body["status"]).toBe("EXPIRED");
  });
});
