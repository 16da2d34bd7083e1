import { expect, test } from "vitest";
import { dayMs, hourMs, minuteMs, secondMs } from "../../../src/core/values/time.ts";
import { retryAfterMs, retryDelaysMs, waitMs } from "../../../src/notify/webhooks/retry-schedule.ts";
import { openReceiver } from "./support/receiver.ts";
import { hookOf, openWebhookHarness, type WebhookHarness } from "./support/webhook-harness.ts";

const status = (code: number) => (response: { writeHead(code: number): { end(): void } }) =>
  response.writeHead(code).end();

async function failures(harness: WebhookHarness): Promise<readonly unknown[]> {
  const rows = await harness.store.auditEvents({ after: 0, limit: 100, action: "notification.failed" });
  return rows.map((row) => JSON.parse(row.body).data);
}

test("an event is posted as in the API, with a signature that the reference library verifies", async () => {
  const [harness, receiver] = [await openWebhookHarness(), await openReceiver()];
  await harness.webhooks.configure([hookOf(receiver)]);
  await harness.record("grant.started");
  await harness.webhooks.drain();
  const [row] = await harness.store.auditEvents({ after: 0, limit: 1 });
  const { at, action, ...rest } = JSON.parse(row?.body ?? "");
  const { message, headers, id } = receiver.received[0] ?? {};
  expect(message).toEqual({
    type: "grant.started",
    timestamp: at,
    data: { seq: 1, at, action, ...rest, previousHash: row?.previousHash, hash: row?.hash },
  });
  expect(headers).toMatchObject({ "content-type": "application/json", "user-agent": "jit-access" });
  expect(id).toMatch(/^evt_1_[0-9a-f]{24}$/);
});

test("a commit sends its records by itself: only the subscribed ones, in order", async () => {
  const [harness, receiver] = [await openWebhookHarness(), await openReceiver()];
  await harness.webhooks.configure([hookOf(receiver, { events: ["grant.*", "request.denied"] })]);
  await harness.record(
    "request.submitted",
    "grant.started",
    "request.denied",
    "policy.changed",
    "grant.expired",
  );
  await expect.poll(() => receiver.seqs()).toEqual([2, 3, 5]);
});

test("a new webhook starts with the next record, and so does one that was removed and added again", async () => {
  const [harness, receiver] = [await openWebhookHarness(), await openReceiver()];
  await harness.record("grant.started");
  await harness.webhooks.configure([hookOf(receiver)]);
  await harness.record("grant.expired");
  await harness.webhooks.drain();
  await harness.webhooks.configure([]);
  await harness.record("grant.started");
  await harness.webhooks.configure([hookOf(receiver)]);
  await harness.record("grant.completed");
  await harness.webhooks.drain();
  expect(receiver.seqs()).toEqual([2, 4]);
});

test("a restart continues at the cursor and sends what was recorded in the meantime", async () => {
  const receiver = await openReceiver();
  const before = await openWebhookHarness();
  await before.webhooks.configure([hookOf(receiver)]);
  await before.record("grant.started");
  await before.webhooks.drain();
  await before.webhooks.stop();
  await before.record("grant.expired");
  const after = await before.restart();
  await after.webhooks.configure([hookOf(receiver)]);
  await after.webhooks.drain();
  expect(receiver.seqs()).toEqual([1, 2]);
});

test("a failed attempt is retried on schedule, under the same id, and no event overtakes it", async () => {
  const receiver = await openReceiver({ verifies: false });
  const harness = await openWebhookHarness();
  receiver.answers(status(500));
  await harness.webhooks.configure([hookOf(receiver)]);
  await harness.record("grant.started", "grant.expired");
  await harness.webhooks.drain();
  for (const wait of retryDelaysMs) {
    const before = receiver.received.length;
    await harness.pass(wait - 1);
    expect(receiver.received).toHaveLength(before);
    await harness.pass(1);
    expect(receiver.received).toHaveLength(before + 1);
  }
  expect(new Set(receiver.received.map(({ id }) => id)).size).toBe(1);
  expect(new Set(receiver.received.map(({ body }) => body)).size).toBe(1);
  expect(new Set(receiver.received.map(({ headers }) => headers["webhook-signature"])).size).toBe(10);
  receiver.answers(status(200));
  await harness.pass(dayMs);
  expect(receiver.seqs().slice(-2)).toEqual([1, 2]);
  expect(await failures(harness)).toEqual([]);
});

test("the retry schedule survives a restart", async () => {
  const receiver = await openReceiver({ verifies: false });
  const before = await openWebhookHarness();
  receiver.answers(status(503));
  await before.webhooks.configure([hookOf(receiver)]);
  await before.record("grant.started");
  await before.webhooks.drain();
  await before.pass(5 * secondMs);
  const after = await before.restart();
  await after.webhooks.configure([hookOf(receiver)]);
  await after.pass(4 * minuteMs);
  expect(receiver.received).toHaveLength(2);
  await after.pass(minuteMs);
  expect(receiver.received).toHaveLength(3);
});

test("a receiver that fails for five days is disabled and recorded, and misses no event when it is back", async () => {
  const receiver = await openReceiver({ verifies: false });
  const harness = await openWebhookHarness();
  receiver.answers(status(500));
  await harness.webhooks.configure([hookOf(receiver)]);
  await harness.record("grant.started", "grant.expired");
  await harness.webhooks.drain();
  for (let hours = 0; hours < 6 * 24; hours++) await harness.pass(hourMs);
  const attempts = receiver.received.length;
  expect(await failures(harness)).toMatchObject([
    { surface: "webhook", what: "siem", code: "http_500", attempts, waitingSeq: 1 },
  ]);
  expect(harness.log.filter(({ level }) => level === "error")).toMatchObject([{ msg: "webhook disabled" }]);
  await harness.pass(30 * dayMs);
  expect(receiver.received).toHaveLength(attempts);

  receiver.answers(status(200));
  const after = await harness.restart();
  await after.webhooks.configure([hookOf(receiver)]);
  await after.webhooks.drain();
  expect(receiver.seqs().slice(attempts)).toEqual([1, 2]);
});

test("a receiver that still fails after a reload is disabled again after one attempt", async () => {
  const receiver = await openReceiver({ verifies: false });
  const harness = await openWebhookHarness();
  receiver.answers(status(500));
  await harness.webhooks.configure([hookOf(receiver)]);
  await harness.record("grant.started");
  await harness.webhooks.drain();
  for (let hours = 0; hours < 6 * 24; hours++) await harness.pass(hourMs);
  const attempts = receiver.received.length;
  await harness.webhooks.configure([hookOf(receiver)]);
  await harness.pass(dayMs);
  expect(receiver.received).toHaveLength(attempts + 1);
  expect(await failures(harness)).toHaveLength(2);
});

test("410 Gone disables the webhook immediately", async () => {
  const [harness, receiver] = [await openWebhookHarness(), await openReceiver()];
  receiver.answers(status(410));
  await harness.webhooks.configure([hookOf(receiver)]);
  await harness.record("grant.started");
  await harness.webhooks.drain();
  expect(await failures(harness)).toMatchObject([{ code: "http_410", attempts: 1 }]);
  await harness.pass(dayMs);
  expect(receiver.received).toHaveLength(1);
});

test("a changed entry is tried immediately, from the same cursor", async () => {
  const [harness, dead, receiver] = [await openWebhookHarness(), await openReceiver(), await openReceiver()];
  dead.answers(status(500));
  await harness.webhooks.configure([hookOf(dead)]);
  await harness.record("grant.started");
  await harness.webhooks.drain();
  await harness.webhooks.configure([hookOf(receiver)]);
  await harness.webhooks.drain();
  expect(receiver.seqs()).toEqual([1]);
});

test("a redirect is a failure and is not followed", async () => {
  const [harness, receiver, elsewhere] = [
    await openWebhookHarness(),
    await openReceiver(),
    await openReceiver(),
  ];
  receiver.answers((response) => void response.writeHead(308, { location: elsewhere.url }).end());
  await harness.webhooks.configure([hookOf(receiver)]);
  await harness.record("grant.started");
  await harness.webhooks.drain();
  expect([receiver.received.length, elsewhere.received.length]).toEqual([1, 0]);
  expect(harness.log).toMatchObject([{ level: "warn", facts: { webhook: "siem", code: "http_308" } }]);
});

test("a private address is not called unless the entry allows it", async () => {
  const [harness, receiver] = [await openWebhookHarness(), await openReceiver()];
  await harness.webhooks.configure([
    hookOf(receiver, { allowPrivate: false, url: receiver.url.replace("http:", "https:") }),
  ]);
  await harness.record("grant.started");
  await harness.webhooks.drain();
  expect(receiver.received).toEqual([]);
  expect(harness.log).toMatchObject([{ facts: { code: "private_address" } }]);
});

test("an endless response still counts as delivered", async () => {
  const [harness, receiver] = [await openWebhookHarness(), await openReceiver()];
  receiver.answers((response) => {
    const flood = (): void => {
      while (response.write(Buffer.alloc(16_384)));
    };
    response.on("drain", flood);
    flood();
  });
  await harness.webhooks.configure([hookOf(receiver)]);
  await harness.record("grant.started", "grant.expired");
  await harness.webhooks.drain();
  expect(receiver.seqs()).toEqual([1, 2]);
});

test("a hanging receiver delays neither other receivers nor a stop", async () => {
  const [harness, hanging, receiver] = [
    await openWebhookHarness(),
    await openReceiver(),
    await openReceiver(),
  ];
  hanging.answers(() => {});
  await harness.webhooks.configure([hookOf(hanging, { name: "hanging" }), hookOf(receiver)]);
  await harness.record("grant.started", "grant.expired");
  await expect.poll(() => receiver.seqs()).toEqual([1, 2]);
  await harness.record("grant.completed");
  await expect.poll(() => receiver.seqs()).toEqual([1, 2, 3]);
  await harness.webhooks.sweep.run();
  await harness.webhooks.stop();
  expect(hanging.received).toHaveLength(1);
  // Less than the 15 s after which the call itself would time out.
}, 12_000);

test("an event whose cursor could not be saved is not sent twice by the same process", async () => {
  const [harness, receiver] = [await openWebhookHarness(), await openReceiver()];
  await harness.webhooks.configure([hookOf(receiver)]);
  receiver.answers((response) => void harness.store.close().then(() => response.writeHead(200).end()));
  await harness.record("grant.started");
  await harness.webhooks.drain();
  await harness.webhooks.drain();
  expect(receiver.received).toHaveLength(1);
  expect(harness.log.at(-1)).toMatchObject({ level: "error", msg: "webhook cursor unavailable" });
});

test("many skipped records move the stored cursor, and the next event arrives", async () => {
  const [harness, receiver] = [await openWebhookHarness(), await openReceiver()];
  await harness.webhooks.configure([hookOf(receiver)]);
  await Promise.all(Array.from({ length: 700 }, () => harness.record("request.submitted")));
  await harness.webhooks.drain();
  const [cursor] = await harness.store.cursors();
  expect(cursor?.seq).toBeGreaterThanOrEqual(500);
  await harness.record("grant.started");
  await expect.poll(() => receiver.seqs()).toEqual([701]);
});

test("neither log, audit log nor cursors contain a secret or an address", async () => {
  const receiver = await openReceiver();
  const harness = await openWebhookHarness();
  receiver.answers(status(410));
  await harness.webhooks.configure([hookOf(receiver)]);
  await harness.record("grant.started");
  await harness.webhooks.drain();
  const visible = JSON.stringify([harness.log, await failures(harness), await harness.store.cursors()]);
  expect(visible).not.toContain(receiver.secret.slice("whsec_".length));
  expect(visible).not.toContain(receiver.url);
});

test("waits follow the schedule of the specification with jitter, and then stay at the last", () => {
  const minutes = Array.from({ length: 11 }, (_, index) => waitMs(index + 1, 0) / minuteMs);
  expect(minutes).toEqual([5 / 60, 5, 30, 120, 300, 600, 840, 1_200, 1_440, 1_440, 1_440]);
  expect(waitMs(2, 1)).toBe(5.5 * minuteMs);
});

test("Retry-After is read in both formats and respected for at most a day", async () => {
  const [harness, receiver] = [await openWebhookHarness(), await openReceiver({ verifies: false })];
  const now = harness.clock.now();
  expect(retryAfterMs("120", now)).toBe(120_000);
  expect(retryAfterMs(new Date(now + 60_000).toUTCString(), now)).toBeGreaterThan(58_000);
  expect(retryAfterMs("999999999", now)).toBe(dayMs);
  expect([retryAfterMs("soon", now), retryAfterMs(undefined, now)]).toEqual([undefined, undefined]);
  receiver.answers((response) => void response.writeHead(429, { "retry-after": "3600" }).end());
  await harness.webhooks.configure([hookOf(receiver)]);
  await harness.record("grant.started");
  await harness.webhooks.drain();
  await harness.pass(hourMs - 1);
  expect(receiver.received).toHaveLength(1);
  await harness.pass(1);
  expect(receiver.received).toHaveLength(2);
});
