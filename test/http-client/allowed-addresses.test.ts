import { createServer, type RequestListener } from "node:http";
import type { LookupFunction } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { guardedPost, type GuardedRequest } from "../../src/http-client/guarded-post.ts";
import { isBlockedAddress } from "../../src/http-client/blocked-ranges.ts";
import { listeningPort } from "../proxies/support/ports.ts";

async function listenWith(listener: RequestListener): Promise<number> {
  const server = createServer(listener);
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((closed) => server.close(closed));
  });
  return listeningPort(server);
}

const requestTo = (url: string, more: Partial<GuardedRequest> = {}): GuardedRequest => ({
  url,
  headers: {},
  body: "{}",
  allowPrivate: true,
  signal: new AbortController().signal,
  ...more,
});

const resolvingTo =
  (next: () => string): LookupFunction =>
  (_name, options, callback) => {
    const address = next();
    if (options.all === true) callback(null, [{ address, family: 4 }]);
    else callback(null, address, 4);
  };

test.each([
  "169.254.169.254",
  "::ffff:169.254.169.254",
  "::ffff:a9fe:a9fe",
  "fe80::1",
  "fe80::1%eth0",
  "fd00:ec2::254",
  "0.0.0.0",
  "::",
  "255.255.255.255",
  "224.0.0.1",
  "ff02::1",
  "localhost",
  "",
])("%s is blocked", (address) => {
  expect(isBlockedAddress(address)).toBe(true);
});

test.each([
  "127.0.0.1",
  "10.1.2.3",
  "192.168.0.1",
  "::1",
  "fd12::1",
  "::ffff:127.0.0.1",
  "8.8.8.8",
  "2606:4700::1111",
])("%s is allowed where private addresses are allowed", (address) => {
  expect(isBlockedAddress(address)).toBe(false);
});

test("allowPrivate does not allow a cloud's metadata service, by address or by name", async () => {
  for (const [url, lookup] of [
    ["http://169.254.169.254/latest/meta-data", undefined],
    ["http://[::ffff:169.254.169.254]/", undefined],
    ["http://receiver.example/", resolvingTo(() => "169.254.169.254")],
  ] as const) {
    await expect(guardedPost(requestTo(url), lookup)).rejects.toMatchObject({ code: "private_address" });
  }
});

test("a name that resolves to another address on the second call is checked again", async () => {
  const port = await listenWith((_, answer) => void answer.end());
  const answers = ["127.0.0.1", "169.254.169.254"];
  const lookup = resolvingTo(() => answers.shift() ?? "");
  const url = `http://receiver.example:${port}`;
  expect((await guardedPost(requestTo(url), lookup)).status).toBe(200);
  await expect(guardedPost(requestTo(url), lookup)).rejects.toMatchObject({ code: "private_address" });
});

test("discardBody does not wait for an endless response and closes it", async () => {
  let isClosed = false;
  const port = await listenWith((_, answer) => {
    answer.on("close", () => {
      isClosed = true;
    });
    answer.writeHead(503, { "retry-after": "7" }).write("…");
  });
  const answer = await guardedPost(requestTo(`http://127.0.0.1:${port}`, { discardBody: true }));
  expect(answer).toEqual({ status: 503, body: "", retryAfter: "7" });
  await expect.poll(() => isClosed).toBe(true);
});

test("an unreachable address is reported with the system's error code", async () => {
  const server = createServer();
  const port = await listeningPort(server);
  await new Promise((closed) => server.close(closed));
  await expect(guardedPost(requestTo(`http://127.0.0.1:${port}`))).rejects.toMatchObject({
    code: "unreachable",
    reason: "ECONNREFUSED",
  });
});
