import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { createEmail } from "../../../src/notify/email/email-messenger.ts";
import type { DeliveryFault, Messenger } from "../../../src/service/messaging/messenger.ts";
import { identityFixture } from "../../support/fixtures.ts";
import { cardFixture, noteOf } from "./support/cards.ts";
import { openMailServer, reply } from "./support/mail-server.ts";

const limits = { connectMs: 300, silenceMs: 300, attemptMs: 1_500 };
const note = noteOf("submitted", cardFixture("approver"));
const never = new AbortController().signal;

function email(url: string, from = "JIT Access <jit@company.com>"): Messenger & { readonly log: object[] } {
  const log: object[] = [];
  const messenger = createEmail(
    { smtpUrl: url, from },
    { warn: (facts) => log.push(facts) },
    { limits, now: () => Date.UTC(2024, 0, 15, 10, 31) },
  );
  return { ...messenger, log };
}

async function faultOf(
  messenger: Messenger,
  to = "lead@company.com",
  signal = never,
): Promise<DeliveryFault> {
  return messenger.direct(to, note, null, signal).then(
    () => {
      throw new Error("it was delivered");
    },
    (fault: DeliveryFault) => fault,
  );
}

/** A TCP server that answers as the test defines. */
async function openTcpServer(
  onConnect: (socket: Socket) => void,
): Promise<{ readonly url: string; readonly server: Server }> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    onConnect(socket);
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy();
    if (server.listening) await new Promise((closed) => server.close(closed));
  });
  return { url: `smtp://127.0.0.1:${(server.address() as AddressInfo).port}`, server };
}

test("a note arrives as text and HTML, to that person only, in the thread of its request", async () => {
  const server = await openMailServer();
  await email(server.url).direct("lead@company.com", note, null, never);
  expect(server.received).toHaveLength(1);
  const { mail, from, to } = server.received[0] ?? {};
  expect([from, to]).toEqual(["jit@company.com", ["lead@company.com"]]);
  expect(mail?.from?.value).toEqual([{ name: "JIT Access", address: "jit@company.com" }]);
  expect(mail?.subject).toBe("[JIT] Access jit_xyz789: Dev, 4 hours, read:prod:orders-db");
  expect(mail?.text).toContain("/jit approve jit_xyz789");
  expect(mail?.html).toContain("/jit approve jit_xyz789");
  expect(mail?.messageId).toMatch(/^<jit_xyz789\.submitted\.[0-9a-f]{16}@company\.com>$/);
  expect([mail?.inReplyTo, mail?.references]).toEqual([
    "<jit_xyz789@company.com>",
    "<jit_xyz789@company.com>",
  ]);
  expect(mail?.headers.get("auto-submitted")).toBe("auto-generated");
  expect(mail?.attachments).toEqual([]);
});

test("a card is an e-mail too, and a sent e-mail is never rewritten", async () => {
  const server = await openMailServer();
  const messenger = email(server.url);
  expect([messenger.surface, messenger.keepsCards]).toEqual(["email", false]);
  const card = cardFixture("approver");
  const ref = await messenger.post("lead@company.com", card, never);
  await messenger.rewrite(ref, cardFixture("approver", { status: "DENIED" }), never, true);
  expect(server.received).toHaveLength(1);
  expect(JSON.parse(ref)).toEqual({ messageId: server.received[0]?.mail.messageId });
});

test("people and channels are reached at their e-mail address, and nobody elsewhere", async () => {
  const messenger = email("smtp://127.0.0.1:1");
  expect(await messenger.addressOf(identityFixture("ann"))).toBe("ann@company.com");
  const { email: _, ...bot } = identityFixture("bot", { kind: "SERVICE" });
  expect(await messenger.addressOf(bot)).toBeUndefined();
  expect(messenger.channelAddress("email:Security@company.com")).toBe("security@company.com");
  for (const other of ["slack:C1", "teams:19:x@thread.tacv2", "email:no address", "email:a@b\r\nBcc: c@d"]) {
    expect(messenger.channelAddress(other)).toBeUndefined();
  }
});

test("user text with line ends, markup and direction marks adds no header and no recipient", async () => {
  const server = await openMailServer();
  const evil = "Dev\r\nBcc: eve@evil.example\r\nSubject: Approved\r\n\r\n<b>owned</b>\u202Egnp";
  const card = cardFixture(
    "approver",
    { reason: evil, ticket: evil },
    { subjectName: evil, askedByName: evil },
  );
  await email(server.url).direct("lead@company.com", noteOf("submitted", card), null, never);
  const { mail, to, raw } = server.received[0] ?? {};
  expect(to).toEqual(["lead@company.com"]);
  expect(mail?.bcc).toBeUndefined();
  const headerLines = (raw ?? "").split("\r\n\r\n")[0]?.split("\r\n") ?? [];
  expect(headerLines.filter((line) => /^(?:bcc|cc):/i.test(line))).toEqual([]);
  expect(headerLines.filter((line) => /^(?:subject|to|from|message-id):/i.test(line))).toHaveLength(4);
  expect(mail?.html).not.toContain("<b>owned");
  expect(mail?.subject).toMatch(/^\[JIT\] Access jit_xyz789: Dev Bcc: eve@evil\.example/);
});

test("a non-ASCII sender domain gives Message-IDs that mail programs accept", async () => {
  const server = await openMailServer();
  await email(server.url, "jit@büro.example").direct("lead@company.com", note, null, never);
  expect(server.received[0]?.mail.messageId).toMatch(/@xn--bro-hoa\.example>$/);
});

test("a refused connection marks the surface as down", async () => {
  const { url, server } = await openTcpServer(() => {});
  await new Promise((closed) => server.close(closed));
  expect(await faultOf(email(url))).toMatchObject({
    name: "DeliveryFault",
    retryable: true,
    isSurfaceDown: true,
  });
});

test("an unknown host name marks the surface as down", async () => {
  expect(await faultOf(email("smtp://mail.invalid:2525"))).toMatchObject({
    retryable: true,
    isSurfaceDown: true,
  });
});

test("a server that never greets times out and marks the surface as down", async () => {
  const { url } = await openTcpServer(() => {});
  expect(await faultOf(email(url))).toMatchObject({
    code: "etimedout",
    retryable: true,
    isSurfaceDown: true,
  });
});

test("a server that keeps sending continuation lines times out", async () => {
  const { url } = await openTcpServer((socket) => {
    socket.write("220 slow\r\n");
    const drip = setInterval(() => socket.write("250-still here\r\n"), 50);
    socket.on("close", () => clearInterval(drip));
  });
  expect(await faultOf(email(url))).toMatchObject({ retryable: true, isSurfaceDown: true });
});

test("a connection dropped in the middle of an e-mail is retried", async () => {
  const sockets: Socket[] = [];
  const server = await openMailServer({
    onData(stream) {
      stream.resume();
      for (const socket of sockets) socket.destroy();
    },
  });
  // A proxy between client and server, so that the connection can be cut.
  const { url } = await openTcpServer((socket) => {
    const port = Number(new URL(server.url).port);
    const upstream = connect(port, "127.0.0.1");
    upstream.on("error", () => {});
    socket.pipe(upstream).pipe(socket);
    sockets.push(socket, upstream);
  });
  expect(await faultOf(email(url))).toMatchObject({ retryable: true, isSurfaceDown: false });
});

test("a server that goes silent in the middle of an e-mail times out", async () => {
  const server = await openMailServer({ onData: (stream) => void stream.resume() });
  expect(await faultOf(email(server.url))).toMatchObject({ code: "etimedout", retryable: true });
});

test.each([
  [450, { code: "smtp_450", retryable: true, isSurfaceDown: false }],
  [421, { code: "smtp_421", retryable: true, isSurfaceDown: true }],
  [550, { code: "smtp_550", retryable: false, isSurfaceDown: false }],
])("a recipient rejected with %i", async (code, expected) => {
  const server = await openMailServer({ onRcptTo: (_, __, done) => done(reply(code)) });
  expect(await faultOf(email(server.url))).toMatchObject(expected);
});

test("4xx is retried, 5xx is not", async () => {
  const answers = [reply(451), reply(550)];
  const server = await openMailServer({ onRcptTo: (_, __, done) => done(answers.shift()) });
  const messenger = email(server.url);
  expect((await faultOf(messenger)).retryable).toBe(true);
  expect((await faultOf(messenger)).retryable).toBe(false);
  await messenger.direct("lead@company.com", note, null, never);
  expect(server.received).toHaveLength(1);
});

test.each([
  [421, true, true],
  [452, true, false],
  [554, false, false],
])("an e-mail rejected with %i after it was read: retryable %s", async (code, retryable, isSurfaceDown) => {
  const server = await openMailServer({
    onData(stream, _, done) {
      stream.resume().on("end", () => done(reply(code)));
    },
  });
  expect(await faultOf(email(server.url))).toMatchObject({ retryable, isSurfaceDown });
});

test("a rejected sender or password is retried, because the operator can correct it", async () => {
  const strict = await openMailServer({ onMailFrom: (_, __, done) => done(reply(553)) });
  expect(await faultOf(email(strict.url))).toMatchObject({
    code: "smtp_553",
    retryable: true,
    isSurfaceDown: true,
  });
  const server = await openMailServer({
    authOptional: false,
    allowInsecureAuth: true,
    onAuth: (_, __, done) => done(reply(535)),
  });
  const url = server.url.replace("smtp://", "smtp://jit:wrong-canary@");
  const messenger = email(url);
  expect(await faultOf(messenger)).toMatchObject({ code: "smtp_535", retryable: true, isSurfaceDown: true });
  expect(JSON.stringify(messenger.log)).not.toContain("canary");
});

test("a password is sent when the server requires authentication", async () => {
  const seen: unknown[] = [];
  const server = await openMailServer({
    authOptional: false,
    allowInsecureAuth: true,
    onAuth({ username, password }, _, done) {
      seen.push([username, password]);
      done(null, { user: username });
    },
  });
  await email(server.url.replace("smtp://", "smtp://jit:p%40ss@")).direct(
    "lead@company.com",
    note,
    null,
    never,
  );
  expect([seen, server.received.length]).toEqual([[["jit", "p@ss"]], 1]);
});

test("an abort does not wait for the server", async () => {
  const { url } = await openTcpServer(() => {});
  const stopping = new AbortController();
  const sending = faultOf(email(url), "lead@company.com", stopping.signal);
  stopping.abort();
  expect(await sending).toMatchObject({ code: "stopped", retryable: true });
});
