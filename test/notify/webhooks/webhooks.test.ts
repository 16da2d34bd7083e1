import { expect, test } from "vitest";
import { dayMs, hourMs, minuteMs, secondMs } from "../../../src/core/values/time.ts";
import { retryAfterMs, retryDelaysMs, waitMs } from "../../../src/notify/webhooks/retry-schedule.ts";
import { openReceiver } from "./support/receiver.ts";
import { hookOf, openSending, type WebhookHarness } from "./support/webhook-harness.ts";

const failing = (status: number) => (answer: { writeHead(status: number): { end(): void } }) =>
  answer.writeHead(status).end();

async function failures(sending: WebhookHarness): Promise<readonly unknown[]> {
  const rows = await sending.store.auditEvents({ after: 0, limit: 100, action: "notification.failed" });
  return rows.map((row) => JSON.parse(row.body).data);
}

test("an event is posted as the API shows it, signed so that the reference library verifies it", async () => {
  const [sending, receiver] = [await openSending(), await openReceiver()];
  await sending.webhooks.configure([hookOf(receiver)]);
  await sending.record("grant.started");
  await sending.webhooks.drain();
  const [row] = await sending.store.auditEvents({ after: 0, limit: 1 });
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

test("a commit sends what it recorded without being asked, only what is wanted, and in order", async () => {
  const [sending, receiver] = [await openSending(), await openReceiver()];
  await sending.webhooks.configure([hookOf(receiver, { events: ["grant.*", "request.denied"] })]);
  await sending.record(
    "request.submitted",
    "grant.started",
    "request.denied",
    "policy.changed",
    "grant.expired",
  );
  await expect.poll(() => receiver.seqs()).toEqual([2, 3, 5]);
});

test("a new webhook begins with what is recorded from then on, one that comes back as well", async () => {
  const [sending, receiver] = [await openSending(), await openReceiver()];
  await sending.record("grant.started");
  await sending.webhooks.configure([hookOf(receiver)]);
  await sending.record("grant.expired");
  await sending.webhooks.drain();
  await sending.webhooks.configure([]);
  await sending.record("grant.started");
  await sending.webhooks.configure([hookOf(receiver)]);
  await sending.record("grant.completed");
  await sending.webhooks.drain();
  expect(receiver.seqs()).toEqual([2, 4]);
});

test("a restart goes on where it was, and what was recorded meanwhile is sent", async () => {
  const receiver = await openReceiver();
  const before = await openSending();
  await before.webhooks.configure([hookOf(receiver)]);
  await before.record("grant.started");
  await before.webhooks.drain();
  await before.webhooks.stop();
  await before.record("grant.expired");
  const after = await before.restarted();
  await after.webhooks.configure([hookOf(receiver)]);
  await after.webhooks.drain();
  expect(receiver.seqs()).toEqual([1, 2]);
});

test("an attempt that fails is made again on the schedule, under the same id, and nothing overtakes it", async () => {
  const receiver = await openReceiver({ verifies: false });
  const sending = await openSending();
  receiver.answers(failing(500));
  await sending.webhooks.configure([hookOf(receiver)]);
  await sending.record("grant.started", "grant.expired");
  await sending.webhooks.drain();
  for (const wait of retryDelaysMs) {
    const before = receiver.received.length;
    await sending.pass(wait - 1);
    expect(receiver.received).toHaveLength(before);
    await sending.pass(1);
    expect(receiver.received).toHaveLength(before + 1);
  }
  expect(new Set(receiver.received.map((one) => one.id)).size).toBe(1);
  expect(new Set(receiver.received.map((one) => one.body)).size).toBe(1);
  expect(new Set(receiver.received.map((one) => one.headers["webhook-signature"])).size).toBe(10);
  receiver.answers(failing(200));
  await sending.pass(dayMs);
  expect(receiver.seqs().slice(-2)).toEqual([1, 2]);
  expect(await failures(sending)).toEqual([]);
});

test("the schedule outlives a restart", async () => {
  const receiver = await openReceiver({ verifies: false });
  const before = await openSending();
  receiver.answers(failing(503));
  await before.webhooks.configure([hookOf(receiver)]);
  await before.record("grant.started");
  await before.webhooks.drain();
  await before.pass(5 * secondMs);
  const after = await before.restarted();
  await after.webhooks.configure([hookOf(receiver)]);
  await after.pass(4 * minuteMs);
  expect(receiver.received).toHaveLength(2);
  await after.pass(minuteMs);
  expect(receiver.received).toHaveLength(3);
});

test("a receiver gone for five days is disabled with an alert on record, and loses nothing when it is back", async () => {
  const receiver = await openReceiver({ verifies: false });
  const sending = await openSending();
  receiver.answers(failing(500));
  await sending.webhooks.configure([hookOf(receiver)]);
  await sending.record("grant.started", "grant.expired");
  await sending.webhooks.drain();
  for (let hours = 0; hours < 6 * 24; hours++) await sending.pass(hourMs);
  const attempts = receiver.received.length;
  expect(await failures(sending)).toMatchObject([
    { surface: "webhook", what: "siem", code: "http_500", attempts, waitingSeq: 1 },
  ]);
  expect(sending.log.filter((one) => one.level === "error")).toMatchObject([{ msg: "webhook disabled" }]);
  await sending.pass(30 * dayMs);
  expect(receiver.received).toHaveLength(attempts);

  receiver.answers(failing(200));
  const after = await sending.restarted();
  await after.webhooks.configure([hookOf(receiver)]);
  await after.webhooks.drain();
  expect(receiver.seqs().slice(attempts)).toEqual([1, 2]);
});

test("one that is still gone at a start is disabled again after one attempt", async () => {
  const receiver = await openReceiver({ verifies: false });
  const sending = await openSending();
  receiver.answers(failing(500));
  await sending.webhooks.configure([hookOf(receiver)]);
  await sending.record("grant.started");
  await sending.webhooks.drain();
  for (let hours = 0; hours < 6 * 24; hours++) await sending.pass(hourMs);
  const attempts = receiver.received.length;
  await sending.webhooks.configure([hookOf(receiver)]);
  await sending.pass(dayMs);
  expect(receiver.received).toHaveLength(attempts + 1);
  expect(await failures(sending)).toHaveLength(2);
});

test("410 Gone disables at once", async () => {
  const [sending, receiver] = [await openSending(), await openReceiver()];
  receiver.answers(failing(410));
  await sending.webhooks.configure([hookOf(receiver)]);
  await sending.record("grant.started");
  await sending.webhooks.drain();
  expect(await failures(sending)).toMatchObject([{ code: "http_410", attempts: 1 }]);
  await sending.pass(dayMs);
  expect(receiver.received).toHaveLength(1);
});

test("an entry that was changed is tried at once, from where it was", async () => {
  const [sending, dead, receiver] = [await openSending(), await openReceiver(), await openReceiver()];
  dead.answers(failing(500));
  await sending.webhooks.configure([hookOf(dead)]);
  await sending.record("grant.started");
  await sending.webhooks.drain();
  await sending.webhooks.configure([hookOf(receiver)]);
  await sending.webhooks.drain();
  expect(receiver.seqs()).toEqual([1]);
});

test("a redirect is a failure and is not followed", async () => {
  const [sending, receiver, elsewhere] = [await openSending(), await openReceiver(), await openReceiver()];
  receiver.answers((answer) => void answer.writeHead(308, { location: elsewhere.url }).end());
  await sending.webhooks.configure([hookOf(receiver)]);
  await sending.record("grant.started");
  await sending.webhooks.drain();
  expect([receiver.received.length, elsewhere.received.length]).toEqual([1, 0]);
  expect(sending.log).toMatchObject([{ level: "warn", facts: { webhook: "siem", code: "http_308" } }]);
});

test("a private address is not called unless the entry allows it", async () => {
  const [sending, receiver] = [await openSending(), await openReceiver()];
  await sending.webhooks.configure([
    hookOf(receiver, { allowPrivate: false, url: receiver.url.replace("http:", "https:") }),
  ]);
  await sending.record("grant.started");
  await sending.webhooks.drain();
  expect(receiver.received).toEqual([]);
  expect(sending.log).toMatchObject([{ facts: { code: "private_address" } }]);
});

test("an endless answer does not undo an arrival", async () => {
  const [sending, receiver] = [await openSending(), await openReceiver()];
  receiver.answers((answer) => {
    const more = (): void => {
      while (answer.write(Buffer.alloc(16_384)));
    };
    answer.on("drain", more);
    more();
  });
  await sending.webhooks.configure([hookOf(receiver)]);
  await sending.record("grant.started", "grant.expired");
  await sending.webhooks.drain();
  expect(receiver.seqs()).toEqual([1, 2]);
});

test("one dead receiver delays no other, nor a stop", async () => {
  const [sending, hanging, receiver] = [await openSending(), await openReceiver(), await openReceiver()];
  hanging.answers(() => {});
  await sending.webhooks.configure([hookOf(hanging, { name: "hanging" }), hookOf(receiver)]);
  await sending.record("grant.started", "grant.expired");
  await expect.poll(() => receiver.seqs()).toEqual([1, 2]);
  await sending.record("grant.completed");
  await expect.poll(() => receiver.seqs()).toEqual([1, 2, 3]);
  await sending.webhooks.sweep.run();
  await sending.webhooks.stop();
  expect(hanging.received).toHaveLength(1);
  // Less than the 15 s after which the call itself would be given up.
}, 12_000);

test("what was sent when the store could not write it down is not sent twice by the same process", async () => {
  const [sending, receiver] = [await openSending(), await openReceiver()];
  await sending.webhooks.configure([hookOf(receiver)]);
  receiver.answers((answer) => void sending.store.close().then(() => answer.writeHead(200).end()));
  await sending.record("grant.started");
  await sending.webhooks.drain();
  await sending.webhooks.drain();
  expect(receiver.received).toHaveLength(1);
  expect(sending.log.at(-1)).toMatchObject({ level: "error", msg: "webhook could not go on" });
});

test("many records that are not wanted are passed over for good, and the one behind them arrives", async () => {
  const [sending, receiver] = [await openSending(), await openReceiver()];
  await sending.webhooks.configure([hookOf(receiver)]);
  await Promise.all(Array.from({ length: 700 }, () => sending.record("request.submitted")));
  await sending.webhooks.drain();
  const [cursor] = await sending.store.cursors();
  expect(cursor?.seq).toBeGreaterThanOrEqual(500);
  await sending.record("grant.started");
  await expect.poll(() => receiver.seqs()).toEqual([701]);
});

test("neither log nor record nor database holds a secret or an address", async () => {
  const receiver = await openReceiver();
  const sending = await openSending();
  receiver.answers(failing(410));
  await sending.webhooks.configure([hookOf(receiver)]);
  await sending.record("grant.started");
  await sending.webhooks.drain();
  const said = JSON.stringify([sending.log, await failures(sending), await sending.store.cursors()]);
  expect(said).not.toContain(receiver.secret.slice("whsec_".length));
  expect(said).not.toContain(receiver.url);
});

test("waits grow by the specification's schedule, a little longer by chance, and then stay", () => {
  const minutes = Array.from({ length: 11 }, (_, index) => waitMs(index + 1, 0) / minuteMs);
  expect(minutes).toEqual([5 / 60, 5, 30, 120, 300, 600, 840, 1_200, 1_440, 1_440, 1_440]);
  expect(waitMs(2, 1)).toBe(5.5 * minuteMs);
});

test("Retry-After is read in both of its forms, and never obeyed for more than a day", async () => {
  const [sending, receiver] = [await openSending(), await openReceiver({ verifies: false })];
  const now = sending.clock.now();
  expect(retryAfterMs("120", now)).toBe(120_000);
  expect(retryAfterMs(new Date(now + 60_000).toUTCString(), now)).toBeGreaterThan(58_000);
  expect(retryAfterMs("999999999", now)).toBe(dayMs);
  expect([retryAfterMs("soon", now), retryAfterMs(undefined, now)]).toEqual([undefined, undefined]);
  receiver.answers((answer) => void answer.writeHead(429, { "retry-after": "3600" }).end());
  await sending.webhooks.configure([hookOf(receiver)]);
  await sending.record("grant.started");
  await sending.webhooks.drain();
  await sending.pass(hourMs - 1);
  expect(receiver.received).toHaveLength(1);
  await sending.pass(1);
  expect(receiver.received).toHaveLength(2);
});
