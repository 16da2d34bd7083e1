import { createServer, type RequestListener, type Server } from "node:http";
import type { LookupFunction } from "node:net";
import { afterEach, expect, test } from "vitest";
import { guardedPost, type GuardedRequest } from "../../src/http-client/guarded-post.ts";
import { isPublicAddress } from "../../src/http-client/public-address.ts";
import { listeningPort } from "../proxies/support/ports.ts";

const servers: Server[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((closed) => server.close(closed));
  }
});

async function listenWith(listener: RequestListener): Promise<number> {
  const server = createServer(listener);
  servers.push(server);
  return listeningPort(server);
}

function requestTo(url: string, more: Partial<GuardedRequest> = {}): GuardedRequest {
  return { url, headers: {}, body: "{}", allowPrivate: false, signal: new AbortController().signal, ...more };
}

/** A name that means these addresses. */
function resolvingTo(...addresses: readonly string[]): LookupFunction {
  return (_name, options, callback) => {
    const all = addresses.map((address) => ({ address, family: address.includes(":") ? 6 : 4 }));
    if (options.all === true) callback(null, all);
    else callback(null, all[0]?.address ?? "", all[0]?.family);
  };
}

test.each([
  "0.0.0.0",
  "10.1.2.3",
  "100.64.0.1",
  "127.0.0.1",
  "127.255.255.254",
  "169.254.169.254",
  "172.16.0.1",
  "172.31.255.255",
  "192.0.0.1",
  "192.168.1.1",
  "198.18.0.1",
  "224.0.0.1",
  "255.255.255.255",
  "::",
  "::1",
  "::ffff:10.0.0.1",
  "::ffff:8.8.8.8",
  "64:ff9b::a00:1",
  "100::1",
  "2001::1",
  "2001:db8::1",
  "2002:a00:1::",
  "fc00::1",
  "fd12::1",
  "fe80::1",
  "fe80::1%eth0",
  "fec0::1",
  "ff02::1",
  "localhost",
  "",
])("%s is not public", (address) => {
  expect(isPublicAddress(address)).toBe(false);
});

test.each(["1.1.1.1", "8.8.8.8", "172.32.0.1", "100.63.255.255", "2606:4700::1111", "2a00:1450::1"])(
  "%s is public",
  (address) => {
    expect(isPublicAddress(address)).toBe(true);
  },
);

test.each([
  "https://127.0.0.1/",
  "https://[::1]/",
  "https://2130706433/",
  "https://0x7f.1/",
  "https://017700000001/",
  "https://169.254.169.254/latest/meta-data",
  "https://[::ffff:127.0.0.1]/",
])("a private address is rejected in every notation: %s", async (url) => {
  await expect(guardedPost(requestTo(url))).rejects.toMatchObject({ code: "private_address" });
});

test.each([
  "http://example.com/",
  "ftp://example.com/",
  "file:///etc/passwd",
  "not a url",
  "https://a:b@example.com/",
])("a URL without https or with a password is rejected: %s", async (url) => {
  await expect(guardedPost(requestTo(url))).rejects.toMatchObject({ code: "refused_url" });
});

test("a name is rejected if any of its addresses at the time of the connection is private", async () => {
  for (const lookup of [
    resolvingTo("169.254.169.254"),
    resolvingTo("8.8.8.8", "10.0.0.1"),
    resolvingTo("10.0.0.1", "8.8.8.8"),
    resolvingTo("2606:4700::1111", "::1"),
    resolvingTo(),
  ]) {
    await expect(guardedPost(requestTo("https://receiver.example/"), lookup)).rejects.toMatchObject({
      code: "private_address",
    });
  }
});

test("allowPrivate allows a private address, even without TLS", async () => {
  const port = await listenWith((request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (part: string) => (body += part));
    request.on("end", () => response.end(`${request.method} ${String(request.headers["x-one"])} ${body}`));
  });
  const answer = await guardedPost(
    requestTo(`http://receiver.example:${port}/`, {
      allowPrivate: true,
      headers: { "x-one": "1" },
      body: "Ω",
    }),
    resolvingTo("127.0.0.1"),
  );
  expect(answer).toEqual({ status: 200, body: "POST 1 Ω" });
});

test("a redirect is a response and is not followed", async () => {
  let calls = 0;
  const port = await listenWith((_request, response) => {
    calls += 1;
    response.writeHead(307, { location: "/elsewhere" }).end();
  });
  expect(await guardedPost(requestTo(`http://127.0.0.1:${port}/`, { allowPrivate: true }))).toMatchObject({
    status: 307,
  });
  expect(calls).toBe(1);
});

test("an endless response is cut off, and a request that is too large is rejected", async () => {
  const port = await listenWith((_request, response) => {
    const more = (): boolean => response.write("x".repeat(10_000), () => !response.destroyed && more());
    more();
  });
  const url = `http://127.0.0.1:${port}/`;
  await expect(guardedPost(requestTo(url, { allowPrivate: true }))).rejects.toMatchObject({
    code: "too_large",
  });
  await expect(
    guardedPost(requestTo(url, { allowPrivate: true, body: "x".repeat(300_000) })),
  ).rejects.toMatchObject({ code: "too_large" });
});

test("the signal aborts a call without a response", async () => {
  const port = await listenWith(() => {});
  const signal = AbortSignal.timeout(50);
  await expect(
    guardedPost(requestTo(`http://127.0.0.1:${port}/`, { allowPrivate: true, signal })),
  ).rejects.toMatchObject({ code: "timeout" });
});

test("the signal aborts a call whose response never ends", async () => {
  const port = await listenWith((_request, response) => {
    const timer = setInterval(() => response.write("x"), 10);
    response.on("close", () => clearInterval(timer));
  });
  const signal = AbortSignal.timeout(100);
  await expect(
    guardedPost(requestTo(`http://127.0.0.1:${port}/`, { allowPrivate: true, signal })),
  ).rejects.toMatchObject({ code: "timeout" });
});

test("a closed port is unreachable", async () => {
  const port = await listenWith(() => {});
  const [server] = servers.splice(0);
  await new Promise((closed) => server?.close(closed));
  await expect(
    guardedPost(requestTo(`http://127.0.0.1:${port}/`, { allowPrivate: true })),
  ).rejects.toMatchObject({
    code: "unreachable",
  });
});
