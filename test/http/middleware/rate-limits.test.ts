import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { api, devAsk, jit, openHttpHarness, tokenIn, type HttpHarness } from "../support/http-harness.ts";

const perMinute = 10;
let harness: HttpHarness;
let dev: string;
beforeEach(async () => {
  // The rate limits count by the system clock.
  vi.useFakeTimers({ toFake: ["Date"] });
  harness = await openHttpHarness({ ratePerMinute: perMinute });
  dev = await harness.keyOf("dev");
});
afterEach(async () => {
  vi.useRealTimers();
  await harness.close();
});

/** Repeats the call, and returns the statuses in order. */
const often = async (times: number, call: () => Promise<{ readonly status: number }>): Promise<number[]> => {
  const statuses: number[] = [];
  for (let count = 0; count < times; count++) statuses.push((await call()).status);
  return statuses;
};
const fill = <T>(times: number, value: T): T[] => Array.from({ length: times }, () => value);

describe("a key", () => {
  test("is limited per minute, learns when to retry, and may call again then", async () => {
    const list = () => harness.call("GET", jit, { key: dev });
    expect(await often(perMinute, list)).toEqual(fill(perMinute, 200));
    const refused = await list();
    expect(refused.body["code"]).toBe("rate_limited");
    expect(Number(refused.headers["retry-after"])).toBeLessThanOrEqual(60);
    vi.setSystemTime(Date.now() + 60_000);
    expect((await list()).status).toBe(200);
  });

  test("has a limit of its own, from any address", async () => {
    const ann = await harness.keyOf("ann");
    for (let count = 0; count < perMinute; count++) {
      await harness.call("GET", jit, { key: dev, from: `192.0.2.${count}` });
    }
    expect((await harness.call("GET", jit, { key: dev, from: "198.51.100.1" })).status).toBe(429);
    expect((await harness.call("GET", jit, { key: ann })).status).toBe(200);
  });

  test("is not limited by other callers at its address", async () => {
    const stranger = () => harness.call("GET", jit, { key: `kd_live_${"A".repeat(36)}` });
    expect(await often(perMinute + 2, stranger)).toEqual([...fill(perMinute, 401), 429, 429]);
    expect((await harness.call("GET", jit, { key: dev })).status).toBe(200);
  });
});

describe("calls without a valid key", () => {
  test("count by address, whatever they ask for", async () => {
    const from = "203.0.113.9";
    const asked = ["/nope", "/docs", "/openapi.json", jit, `${api}/policies`];
    const statuses = [];
    for (let count = 0; count < perMinute; count++) {
      statuses.push((await harness.call("GET", asked[count % asked.length] ?? "", { from })).status);
    }
    expect(statuses).not.toContain(429);
    for (const url of asked) expect((await harness.call("GET", url, { from })).status).toBe(429);
    expect((await harness.call("GET", "/nope", { from: "203.0.113.10" })).status).toBe(404);
  });

  test("forwarded addresses are believed from a configured proxy only", async () => {
    const forwarded = async (server: HttpHarness) =>
      often(perMinute + 1, () =>
        server.call("GET", "/nope", { headers: { "x-forwarded-for": `192.0.2.${Math.random()}` } }),
      );
    expect(await forwarded(harness)).toContain(429);
    const behind = await openHttpHarness({ ratePerMinute: perMinute, trustedProxies: ["127.0.0.1"] });
    expect(await forwarded(behind)).not.toContain(429);
    await behind.close();
  });

  test("do not limit leak reports: a leaked token is revoked after any number of calls", async () => {
    const from = "203.0.113.9";
    const report = (token: string) =>
      harness.call("POST", `${api}/credentials/revoke`, { form: { token }, from });
    await often(perMinute, () => harness.call("GET", "/nope", { from }));
    expect((await harness.call("GET", "/nope", { from })).status).toBe(429);
    const token = tokenIn(await harness.call("POST", jit, { key: dev, body: devAsk }));
    expect(await often(perMinute + 1, () => report("x"))).toEqual(fill(perMinute + 1, 200));
    expect((await report(token)).status).toBe(200);
    const check = await harness.call("GET", `${api}/check?scope=read:dev:a`, { key: token });
    expect(check.status).toBe(401);
  });

  test("that report leaks have small bodies with few fields", async () => {
    const sent = (payload: string) =>
      harness.call("POST", `${api}/credentials/revoke`, {
        payload,
        headers: { "content-type": "application/x-www-form-urlencoded" },
      });
    const padded = (length: number) => `token=x&pad=${"x".repeat(length - "token=x&pad=".length)}`;
    expect((await sent(padded(2_048))).status).toBe(200);
    expect((await sent(padded(2_049))).body["code"]).toBe("too_large");
    const fields = (count: number) => ["token=x", ...Array.from({ length: count - 1 }, (_, n) => `f${n}`)];
    expect((await sent(fields(20).join("&"))).status).toBe(200);
    expect((await sent(fields(21).join("&"))).body["code"]).toBe("malformed");
  });

  test("do not limit probes", async () => {
    expect(await often(3 * perMinute, () => harness.call("GET", "/healthz"))).not.toContain(429);
    expect(await often(3 * perMinute, () => harness.call("GET", "/readyz"))).not.toContain(429);
  });
});

describe("checks and introspection", () => {
  let token: string;
  beforeEach(async () => {
    token = tokenIn(await harness.call("POST", jit, { key: dev, body: devAsk }));
  });
  const check = (key: string, scope: string) => harness.call("GET", `${api}/check?scope=${scope}`, { key });
  const introspect = async (text: string) =>
    harness.call("POST", `${api}/credentials/introspect`, {
      key: await harness.keyOf("bot", "resource"),
      form: { token: text },
    });

  test("that succeed are never limited", async () => {
    expect(await often(3 * perMinute, () => check(token, "read:dev:a"))).toEqual(fill(3 * perMinute, 200));
    expect(await often(3 * perMinute, () => introspect(token))).toEqual(fill(3 * perMinute, 200));
  });

  test("that fail too often: the check says 401 instead of 403, never 429", async () => {
    const wrong = () => check(token, "read:dev:other");
    expect(await often(perMinute + 2, wrong)).toEqual([...fill(perMinute, 403), 401, 401]);
  });

  test("that fail too often: introspection says 429 with a time to come back", async () => {
    const statuses = await often(perMinute + 1, () => introspect("nothing"));
    expect(statuses).toEqual([...fill(perMinute, 200), 429]);
    expect(Number((await introspect("nothing")).headers["retry-after"])).toBeGreaterThan(0);
  });

  test("guessing does not lock out others at the same address", async () => {
    await often(3 * perMinute, () => check("kd_jit_guess", "read:dev:a"));
    expect((await check(token, "read:dev:a")).status).toBe(200);
    expect((await introspect(token)).status).toBe(200);
  });
});

test("every invalid key and token is counted, also beyond the limit; missing and valid ones are not", async () => {
  const guessed = { key: `kd_live_${"A".repeat(36)}` };
  const resource = await harness.keyOf("bot", "resource");
  await often(perMinute + 5, () => harness.call("GET", jit, guessed));
  await often(3, () => harness.call("GET", `${api}/check?scope=read:dev:a`, guessed));
  await harness.call("POST", `${api}/credentials/introspect`, { key: resource, form: { token: "kd_jit_x" } });
  await harness.call("GET", jit, { key: dev });
  await harness.call("GET", jit);
  await harness.call("GET", `${api}/check?scope=read:dev:a`);
  const { text } = await harness.call("GET", "/metrics");
  expect(text.split("\n").filter((line) => line.startsWith("jit_authentication_failures_total{"))).toEqual([
    `jit_authentication_failures_total{kind="api_key"} ${perMinute + 5}`,
    'jit_authentication_failures_total{kind="token"} 4',
  ]);
});
