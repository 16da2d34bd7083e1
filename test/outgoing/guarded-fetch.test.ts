import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { createServer as createPlainServer } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { mayConnect } from "../../src/outgoing/addresses.ts";
import {
  answerBytesMax,
  createGuardedFetch,
  type GuardedCall,
  type Resolve,
} from "../../src/outgoing/guarded-fetch.ts";

async function serve(listener: RequestListener): Promise<{ readonly url: string; readonly port: number }> {
  const server = createServer(listener);
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((closed) => server.close(closed));
  });
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/hook`, port };
}

const call = (url: string, more: Partial<GuardedCall> = {}): GuardedCall => ({
  url,
  method: "POST",
  headers: { "content-type": "application/json" },
  body: "{}",
  reach: "private too",
  timeoutMs: 2_000,
  signal: new AbortController().signal,
  ...more,
});

const meaning =
  (...addresses: readonly string[]): Resolve =>
  (_, done) =>
    done(
      null,
      addresses.map((address) => ({ address, family: address.includes(":") ? 6 : 4 })),
    );

test.each([
  ["8.8.8.8", true, true],
  ["2606:4700::1111", true, true],
  ["::ffff:8.8.8.8", true, true],
  ["127.0.0.1", false, true],
  ["10.1.2.3", false, true],
  ["172.31.255.255", false, true],
  ["192.168.0.1", false, true],
  ["100.64.0.1", false, true],
  ["::1", false, true],
  ["fd12::1", false, true],
  ["::ffff:127.0.0.1", false, true],
  ["::ffff:7f00:1", false, true],
  ["::ffff:a9fe:a9fe", false, false],
  ["64:ff9b::a00:1", false, true],
  ["2002:7f00:1::", false, true],
  ["2001:db8::1", false, true],
  ["169.254.169.254", false, false],
  ["fe80::1", false, false],
  ["fd00:ec2::254", false, false],
  ["0.0.0.0", false, false],
  ["::", false, false],
  ["255.255.255.255", false, false],
  ["224.0.0.1", false, false],
  ["localhost", false, false],
  ["", false, false],
])("%s: called on the internet %s, with private addresses allowed %s", (address, isPublic, isAllowed) => {
  expect([mayConnect(address, "public"), mayConnect(address, "private too")]).toEqual([isPublic, isAllowed]);
});

test("a private address is refused before anything is sent, as a number and behind a name", async () => {
  let calls = 0;
  const { url, port } = await serve((_, answer) => {
    calls++;
    answer.end();
  });
  const guarded = createGuardedFetch(meaning("127.0.0.1"));
  const urls = [
    url,
    `http://siem.example:${port}/`,
    `http://[::ffff:127.0.0.1]:${port}/`,
    `http://2130706433:${port}`,
  ];
  for (const one of urls) {
    await expect(guarded(call(one, { reach: "public" }))).rejects.toMatchObject({ code: "address_refused" });
  }
  expect(calls).toBe(0);
  expect((await guarded(call(`http://siem.example:${port}/`))).status).toBe(200);
});

test("a name that changes its meaning between two calls is checked at each", async () => {
  const { port } = await serve((_, answer) => void answer.end());
  const answers = ["127.0.0.1", "169.254.169.254"];
  const guarded = createGuardedFetch((_, done) =>
    done(null, [{ address: answers.shift() ?? "", family: 4 }]),
  );
  expect((await guarded(call(`http://siem.example:${port}`))).status).toBe(200);
  await expect(guarded(call(`http://siem.example:${port}`))).rejects.toMatchObject({
    code: "address_refused",
  });
});

test("of a name with several addresses only those that may be called are", async () => {
  const { port } = await serve((_, answer) => void answer.end("right"));
  const guarded = createGuardedFetch(meaning("169.254.169.254", "127.0.0.1"));
  expect(await guarded(call(`http://siem.example:${port}`))).toMatchObject({ status: 200, body: "right" });
});

test("a redirect is an answer, not a way to somewhere else", async () => {
  let calls = 0;
  const { url } = await serve((request, answer) => {
    calls++;
    answer.writeHead(307, { location: `http://${request.headers.host}/elsewhere` }).end();
  });
  const answer = await createGuardedFetch()(call(url));
  expect([answer.status, calls]).toEqual([307, 1]);
});

test("what is sent arrives whole, and headers and text of the answer come back", async () => {
  const { url } = await serve((request, answer) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => answer.writeHead(201, { "retry-after": "7" }).end(Buffer.concat(chunks)));
  });
  const body = JSON.stringify({ reason: "Größe ✓".repeat(1_000) });
  const answer = await createGuardedFetch()(call(url, { body }));
  expect(answer).toMatchObject({ status: 201, body, isCut: false });
  expect(answer.header("retry-after")).toBe("7");
});

test("an endless answer is cut, and the connection closed", async () => {
  let isClosed = false;
  const { url } = await serve((_, answer) => {
    const more = (): void => {
      while (answer.write(Buffer.alloc(16_384, "x")));
    };
    answer.on("drain", more).on("close", () => {
      isClosed = true;
    });
    more();
  });
  const answer = await createGuardedFetch()(call(url));
  expect([answer.status, answer.body.length, answer.isCut]).toEqual([200, answerBytesMax, true]);
  await expect.poll(() => isClosed).toBe(true);
});

test.each([
  ["never answers", () => {}],
  [
    "never ends its answer",
    (_: unknown, answer: { write(text: string): void }) => {
      const timer = setInterval(() => answer.write("."), 10);
      onTestFinished(() => clearInterval(timer));
    },
  ],
] as const)("a receiver that %s is left after the time it has", async (_name, listener) => {
  const { url } = await serve(listener);
  await expect(createGuardedFetch()(call(url, { timeoutMs: 100 }))).rejects.toMatchObject({
    code: "timeout",
  });
});

test("a name server that never answers is left too", async () => {
  const never = createGuardedFetch(() => {});
  await expect(never(call("http://siem.example", { timeoutMs: 50 }))).rejects.toMatchObject({
    code: "timeout",
  });
});

test("whoever stops does not wait for a receiver", async () => {
  const { url } = await serve(() => {});
  const stopping = new AbortController();
  const calling = createGuardedFetch()(call(url, { signal: stopping.signal }));
  stopping.abort();
  await expect(calling).rejects.toMatchObject({ code: "stopped" });
});

test("a refused connection and a broken answer are named, without address or content", async () => {
  const server = createPlainServer((socket) => {
    socket.on("error", () => {}).resume();
    socket.end("no http\r\n\r\n");
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const { port } = server.address() as AddressInfo;
  const guarded = createGuardedFetch();
  await expect(guarded(call(`http://127.0.0.1:${port}`))).rejects.toMatchObject({
    code: expect.stringMatching(/^HPE_/),
  });
  await new Promise((closed) => server.close(closed));
  await expect(guarded(call(`http://127.0.0.1:${port}`))).rejects.toMatchObject({
    code: "ECONNREFUSED",
    message: "ECONNREFUSED",
  });
});
