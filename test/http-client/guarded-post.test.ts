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

async function serving(listener: RequestListener): Promise<number> {
  const server = createServer(listener);
  servers.push(server);
  return listeningPort(server);
}

function asking(url: string, more: Partial<GuardedRequest> = {}): GuardedRequest {
  return { url, headers: {}, body: "{}", allowPrivate: false, signal: new AbortController().signal, ...more };
}

/** A name that means these addresses. */
function meaning(...addresses: readonly string[]): LookupFunction {
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
])("%s is not of the open internet", (address) => {
  expect(isPublicAddress(address)).toBe(false);
});

test.each(["1.1.1.1", "8.8.8.8", "172.32.0.1", "100.63.255.255", "2606:4700::1111", "2a00:1450::1"])(
  "%s is",
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
])("an address that leads inside is refused however it is written: %s", async (url) => {
  await expect(guardedPost(asking(url))).rejects.toMatchObject({ code: "private_address" });
});

test.each([
  "http://example.com/",
  "ftp://example.com/",
  "file:///etc/passwd",
  "not a url",
  "https://a:b@example.com/",
])("what is not https, or holds a password, is refused: %s", async (url) => {
  await expect(guardedPost(asking(url))).rejects.toMatchObject({ code: "refused_url" });
});

test("a name is judged by what it means when the connection is made, and by all it means", async () => {
  for (const lookup of [
    meaning("169.254.169.254"),
    meaning("8.8.8.8", "10.0.0.1"),
    meaning("10.0.0.1", "8.8.8.8"),
    meaning("2606:4700::1111", "::1"),
    meaning(),
  ]) {
    await expect(guardedPost(asking("https://receiver.example/"), lookup)).rejects.toMatchObject({
      code: "private_address",
    });
  }
});

test("where it is allowed, a private address is used, without TLS too", async () => {
  const port = await serving((request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (part: string) => (body += part));
    request.on("end", () => response.end(`${request.method} ${String(request.headers["x-one"])} ${body}`));
  });
  const answer = await guardedPost(
    asking(`http://receiver.example:${port}/`, { allowPrivate: true, headers: { "x-one": "1" }, body: "Ω" }),
    meaning("127.0.0.1"),
  );
  expect(answer).toEqual({ status: 200, body: "POST 1 Ω" });
});

test("a redirect is an answer and is not followed", async () => {
  let calls = 0;
  const port = await serving((_request, response) => {
    calls += 1;
    response.writeHead(307, { location: "/elsewhere" }).end();
  });
  expect(await guardedPost(asking(`http://127.0.0.1:${port}/`, { allowPrivate: true }))).toMatchObject({
    status: 307,
  });
  expect(calls).toBe(1);
});

test("an answer without end is cut off, and so is a request that is too large", async () => {
  const port = await serving((_request, response) => {
    const more = (): boolean => response.write("x".repeat(10_000), () => !response.destroyed && more());
    more();
  });
  const url = `http://127.0.0.1:${port}/`;
  await expect(guardedPost(asking(url, { allowPrivate: true }))).rejects.toMatchObject({ code: "too_large" });
  await expect(
    guardedPost(asking(url, { allowPrivate: true, body: "x".repeat(300_000) })),
  ).rejects.toMatchObject({ code: "too_large" });
});

test("who does not answer is given up when the signal says so", async () => {
  const port = await serving(() => {});
  const signal = AbortSignal.timeout(50);
  await expect(
    guardedPost(asking(`http://127.0.0.1:${port}/`, { allowPrivate: true, signal })),
  ).rejects.toMatchObject({ code: "timeout" });
});

test("who drips an answer is given up all the same", async () => {
  const port = await serving((_request, response) => {
    const timer = setInterval(() => response.write("x"), 10);
    response.on("close", () => clearInterval(timer));
  });
  const signal = AbortSignal.timeout(100);
  await expect(
    guardedPost(asking(`http://127.0.0.1:${port}/`, { allowPrivate: true, signal })),
  ).rejects.toMatchObject({ code: "timeout" });
});

test("nobody there is told as such", async () => {
  const port = await serving(() => {});
  const [server] = servers.splice(0);
  await new Promise((closed) => server?.close(closed));
  await expect(
    guardedPost(asking(`http://127.0.0.1:${port}/`, { allowPrivate: true })),
  ).rejects.toMatchObject({
    code: "unreachable",
  });
});
