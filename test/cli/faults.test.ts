import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { formatToken } from "../../src/core/values/token-format.ts";
import { fakeService, me, refusal, shown } from "./support/fake-service.ts";
import { jit } from "./support/run-jit.ts";

const page = { body: { data: [], nextCursor: null } };
const token = formatToken("jit", "B".repeat(30));
const asking = ["ask", "read:prod:orders-db", "--for", "1h", "--reason", "why"];
const oneSentence = /^jit: [^\n]+ \([a-z_]+\)\n$/;

/** An unused port. */
const closedPort = async (): Promise<number> => {
  const server = createServer();
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const address = server.address();
  await new Promise((closed) => server.close(closed));
  return typeof address === "object" && address !== null ? address.port : 0;
};

describe("a service that fails", () => {
  test("is retried for a limited time, and then exit 5 says what to do", async () => {
    const { code, err, out, pauses } = await jit(["list"], { url: `http://127.0.0.1:${await closedPort()}` });
    expect(code).toBe(5);
    expect(out).toBe("");
    expect(pauses.length).toBe(5);
    expect(err.split("\n").at(-2)).toMatch(
      /^jit: http:\S+ cannot be reached; start the service, .*\(unreachable\)$/,
    );
  });

  test("that sends Retry-After is retried at that time, and not before", async () => {
    const busy = refusal(503, "store_unavailable", "Not now.", { "retry-after": "7" });
    const { url, received } = await fakeService(busy, busy, page);
    const { code, pauses, err } = await jit(["list"], { url });
    expect(code).toBe(0);
    expect(pauses).toEqual([7_000, 7_000]);
    expect(received).toHaveLength(3);
    expect(err).toContain("Not now. Trying again in 7s.");
  });

  test("that sends a long Retry-After is not retried", async () => {
    const { url, received } = await fakeService(
      refusal(429, "limit_reached", "Used up.", { "retry-after": "3600" }),
    );
    const { code, err } = await jit(["list"], { url });
    expect(code).toBe(1);
    expect(received).toHaveLength(1);
    expect(err).toBe("jit: Used up. (limit_reached)\n");
  });

  test("that does not respond times out", async () => {
    const { url } = await fakeService({ ...page, afterMs: 60_000 });
    const { code, err } = await jit(["list"], { url, timeoutMs: 50 });
    expect(code).toBe(5);
    expect(err).toContain("does not answer in time");
  });

  test("that breaks off within a response is retried", async () => {
    const { url, received } = await fakeService({ cut: true, head: '{"data":[' }, page);
    expect((await jit(["list"], { url })).code).toBe(0);
    expect(received).toHaveLength(2);
  });

  test("that answers with an internal error is not retried", async () => {
    const { url, received } = await fakeService(refusal(500, "internal", "The log says more."));
    const { code, err } = await jit(["list"], { url });
    expect({ code, err }).toEqual({ code: 5, err: "jit: The log says more. (internal)\n" });
    expect(received).toHaveLength(1);
  });
});

test("https to a port without TLS is not reported as an untrusted certificate", async () => {
  const { url } = await fakeService(page);
  const { code, err } = await jit(["list"], { url: url.replace("http:", "https:") });
  expect(code).toBe(5);
  expect(err).toContain("does not speak TLS");
});

describe("something that is not our service", () => {
  test.each([
    ["a page for people", { body: "<h1>Welcome</h1>" }],
    ["JSON about something else", { body: { hello: "world" } }],
    ["a list instead of an object", { body: [] }],
    ["not found, without saying why", { status: 404, body: "nothing here" }],
    ["a redirect", { status: 302, headers: { location: "https://login.company.com/" }, body: "" }],
    ["a gate with its own words", { status: 403, body: "<h1>Forbidden</h1>" }],
  ])("%s: one sentence and exit 5", async (_, reply) => {
    const { url, received } = await fakeService(reply);
    const { code, out, err } = await jit(["list"], { url });
    expect(code).toBe(5);
    expect(out).toBe("");
    expect(err).toMatch(oneSentence);
    expect(err).toContain("JIT_URL");
    expect(received).toHaveLength(1);
  });

  test("a redirect is never followed, so the key is sent nowhere else", async () => {
    const thief = await fakeService(page);
    const { url } = await fakeService({
      status: 307,
      headers: { location: `${thief.url}/api/v1/credentials/jit` },
    });
    expect((await jit(["list"], { url })).code).toBe(5);
    expect(thief.received).toEqual([]);
  });
});

describe("a call that changes something", () => {
  test("has the same Idempotency-Key in every attempt, and another one the next time", async () => {
    const replies = [
      { body: me },
      { cut: true } as const,
      refusal(503, "store_unavailable", "No."),
      { status: 201, body: shown() },
    ];
    const first = await fakeService(...replies);
    expect((await jit(asking, { url: first.url })).code).toBe(0);
    const keys = first.received.slice(1).map(({ headers }) => headers["idempotency-key"]);
    expect(keys).toHaveLength(3);
    expect(new Set(keys).size).toBe(1);
    expect(keys[0]).toMatch(/^[0-9a-f-]{36}$/);
    const second = await fakeService(...replies);
    await jit(asking, { url: second.url });
    expect(second.received[1]?.headers["idempotency-key"]).not.toBe(keys[0]);
  });

  test("waits for its own first attempt when that is still running", async () => {
    const running = refusal(409, "idempotency_running", "Being answered.");
    const { url, received } = await fakeService({ body: me }, { cut: true }, running, {
      status: 201,
      body: shown(),
    });
    expect((await jit(asking, { url })).code).toBe(0);
    expect(received).toHaveLength(4);
  });

  test("whose response with the token got lost replaces the token", async () => {
    const replayed = shown({ status: "ACTIVE", credential: { id: "cred_a", tokenShown: true } });
    const rotated = shown({ status: "ACTIVE", credential: { id: "cred_b", token } });
    const { url, received } = await fakeService({ cut: true }, { body: replayed }, { body: rotated });
    const { code, out, err } = await jit(["claim", "jit_one", "--token-only"], { url });
    expect({ code, out }).toEqual({ code: 0, out: `${token}\n` });
    expect(received.map(({ path }) => path.split("/").at(-1))).toEqual(["claim", "claim", "rotate"]);
    expect(err).toContain("got lost");
  });

  test("that creates a key and loses the response says how to delete it", async () => {
    const made = {
      id: "key_1",
      identityId: "id_dev",
      roles: ["requester"],
      name: null,
      last4: "abcd",
      mintedBy: "id_admin",
      createdAt: "2026-01-15T10:00:00.000Z",
      expiresAt: null,
      tokenShown: true,
    };
    const { url } = await fakeService({ cut: true }, { status: 201, body: made });
    const { code, err } = await jit(["keys", "create", "id_dev", "--role", "requester"], { url });
    expect(code).toBe(5);
    expect(err).toContain("jit keys delete key_1");
  });

  test("without an Idempotency-Key is not retried when its outcome is unknown", async () => {
    const { url, received } = await fakeService({ cut: true });
    expect((await jit(["keys", "delete", "key_1"], { url })).code).toBe(5);
    expect(received).toHaveLength(1);
  });

  test("a claim is repeated until its targets are prepared", async () => {
    const preparing = { status: 202, body: shown({ status: "APPROVED" }) };
    const { url, received } = await fakeService(preparing, preparing, {
      body: shown({ status: "ACTIVE", credential: { id: "cred_a", token } }),
    });
    const { out, pauses } = await jit(["claim", "jit_one", "--token-only"], { url });
    expect(out).toBe(`${token}\n`);
    expect(pauses).toEqual([2_000, 2_000]);
    expect(received).toHaveLength(3);
  });
});

describe("a refusal", () => {
  test.each([
    [400, "malformed", 1],
    [401, "unauthenticated", 3],
    [403, "policy_denied", 1],
    [404, "not_found", 4],
    [409, "already_decided", 1],
    [422, "invalid_scope", 1],
    [422, "identity_unknown", 4],
    [429, "limit_reached", 1],
    [503, "store_unavailable", 5],
  ])("%i %s is one sentence and exit %i", async (status, code, exit) => {
    const { url } = await fakeService(refusal(status, code, "It is so.", { "retry-after": "100" }));
    const ended = await jit(["status", "jit_one"], { url });
    expect(ended.code).toBe(exit);
    expect(ended.err).toMatch(oneSentence);
    expect(ended.err).toContain(`It is so.`);
    expect(ended.err).toContain(`(${code})`);
  });

  test("of fields names each of them", async () => {
    const problem = refusal(422, "invalid_body", "Some fields are not as they should be.");
    const errors = [
      { path: "reason", message: "is too long" },
      { path: "", message: "is odd" },
    ];
    const { url } = await fakeService({ ...problem, body: { ...problem.body, errors } });
    const { err } = await jit(["status", "jit_one"], { url });
    expect(err).toBe(
      "jit: Some fields are not as they should be: reason is too long; is odd. (invalid_body)\n",
    );
  });

  test("is also on standard output with --json, unchanged", async () => {
    const problem = refusal(409, "duplicate_request", "Already there.");
    const body = { ...problem.body, existing: "jit_other" };
    const { url } = await fakeService({ body: me }, { ...problem, body });
    const { code, out, err } = await jit([...asking, "--json"], { url });
    expect(code).toBe(1);
    expect(out).toBe(`${JSON.stringify(body)}\n`);
    expect(err).toBe("jit: Already there. (duplicate_request)\n");
  });
});

test("an export that breaks off leaves no file, and what was there before stays", async () => {
  const folder = mkdtempSync(join(tmpdir(), "jit-cli-"));
  try {
    const { url } = await fakeService({ cut: true, head: '{"seq":1}\n' });
    const { code } = await jit(["audit", "export", "--out", join(folder, "audit.jsonl")], { url });
    expect(code).toBe(5);
    expect(readdirSync(folder)).toEqual([]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
