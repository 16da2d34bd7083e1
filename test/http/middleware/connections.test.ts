import { connect } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { api, jit, openHttpHarness, type HttpHarness } from "../support/http-harness.ts";

let harness: HttpHarness;
let port: number;
beforeAll(async () => {
  harness = await openHttpHarness();
  await harness.app.listen({ host: "127.0.0.1", port: 0 });
  const address = harness.app.server.address();
  port = isBound(address) ? address.port : 0;
});
afterAll(async () => {
  await harness.close();
});

const isBound = (address: AddressInfo | string | null): address is AddressInfo =>
  typeof address === "object" && address !== null;

/** Sends these bytes and returns the response, until the server closes or nothing more arrives. */
const say = (bytes: string, quietMs = 300): Promise<string> => {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const socket = connect(port, "127.0.0.1", () => socket.write(bytes));
  let heard = "";
  socket.setTimeout(quietMs, () => socket.destroy());
  socket.on("data", (data) => {
    heard += data.toString();
  });
  socket.on("error", reject);
  socket.on("close", () => resolve(heard));
  return promise;
};

const problem = (status: number, code: string): RegExp =>
  new RegExp(
    `^HTTP/1\\.1 ${status} [\\s\\S]*content-type: application/problem\\+json[\\s\\S]*"code":"${code}"`,
    "i",
  );

test.each([
  ["no HTTP at all", "hello\r\n\r\n", 400, "malformed"],
  ["a TLS greeting", "\u0016\u0003\u0001\u0002\r\n\r\n", 400, "malformed"],
  ["a broken header", "GET / HTTP/1.1\r\nHost: x\r\nbad header\r\n\r\n", 400, "malformed"],
  ["a negative length", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", 400, "malformed"],
  [
    "two lengths",
    "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx",
    400,
    "malformed",
  ],
  [
    "a length and chunks",
    "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    400,
    "malformed",
  ],
  ["no Host", "GET /healthz HTTP/1.1\r\n\r\n", 400, "malformed"],
  [
    "headers of 20 KiB",
    `GET / HTTP/1.1\r\nHost: x\r\nA: ${"x".repeat(20_480)}\r\n\r\n`,
    431,
    "header_too_large",
  ],
  ["a tunnel", "CONNECT example.com:443 HTTP/1.1\r\nHost: example.com\r\n\r\n", 400, "malformed"],
])("%s → %s", async (_, bytes, status, code) => {
  expect(await say(bytes)).toMatch(problem(status, code));
});

test("an unknown Expect header is ignored", async () => {
  expect(
    await say("GET /healthz HTTP/1.1\r\nHost: x\r\nExpect: a-miracle\r\nConnection: close\r\n\r\n"),
  ).toMatch(/^HTTP\/1\.1 200 /);
});

test("HTTP/1.0 without a Host header is accepted", async () => {
  expect(await say("GET /healthz HTTP/1.0\r\n\r\n")).toMatch(/^HTTP\/1\.1 200 /);
});

test("a body that is announced too large is refused before it is sent", async () => {
  const key = await harness.keyOf("dev");
  const heard = await say(
    `POST /api/v1/credentials/jit HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${key}\r\nContent-Type: application/json\r\nContent-Length: 9000000\r\n\r\n`,
  );
  expect(heard).toMatch(problem(413, "too_large"));
});

test("a check answers without waiting for a body", async () => {
  const heard = await say(
    "POST /api/v1/check HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9000000\r\n\r\n",
  );
  expect(heard).toMatch(/^HTTP\/1\.1 401 /);
});

test("slow headers time out after five seconds, a slow body after ten", async () => {
  expect(harness.app.server).toMatchObject({ headersTimeout: 5_000, requestTimeout: 10_000 });
  const heard = await say("GET /healthz HTTP/1.1\r\nHost: x\r\n", 18_000);
  expect(heard).toMatch(problem(408, "request_timeout"));
});

test("a key deleted while its body arrives decides nothing", async () => {
  const id = await harness.ask({ scopes: ["read:prod:slow"] });
  const made = await harness.call("POST", `${api}/api-keys`, {
    key: harness.admin,
    body: { identityId: "id_bob", roles: ["approver"] },
  });
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const socket = connect(port, "127.0.0.1");
  socket.on("data", (data) => resolve(data.toString()));
  socket.on("error", reject);
  const head = [
    `POST ${jit}/${id}/approve HTTP/1.1`,
    "Host: x",
    `Authorization: Bearer ${String(made.body["token"])}`,
    "Content-Type: application/json",
    "Content-Length: 2",
  ];
  socket.write(`${head.join("\r\n")}\r\n\r\n{`);
  await pause(100);
  await harness.call("DELETE", `${api}/api-keys/${String(made.body["id"])}`, { key: harness.admin });
  socket.write("}");
  expect(await promise).toMatch(problem(401, "unauthenticated"));
  socket.destroy();
  expect((await harness.call("GET", `${jit}/${id}`, { key: harness.admin })).body["status"]).toBe("PENDING");
});
