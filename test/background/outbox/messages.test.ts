import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { assertPresent } from "../../../src/core/values/assert.ts";
import { parseSelector } from "../../../src/core/values/identity.ts";
import { hourMs, minuteMs, secondMs } from "../../../src/core/values/time.ts";
import type { Relay } from "../../../src/background/outbox/relay.ts";
import { noticeRetryMaxMs } from "../../../src/background/outbox/deliveries/delivery-records.ts";
import { DeliveryFault } from "../../../src/service/messaging/messenger.ts";
import { approvalPolicy, stageBy } from "../../core/support/policies.ts";
import { unwrap, openServiceHarness, refusalOrStatus } from "../../service/support/service-harness.ts";
import type { ServiceHarness } from "../../service/support/service-harness.ts";
import { createDyingRelay, createHarnessRelay } from "./support/harness-relay.ts";
import { fakeMessenger, failAsDown, rejectForGood, type FakeMessenger } from "./support/fake-messenger.ts";

let harness: ServiceHarness;
let relay: Relay;
let slack: FakeMessenger;
let email: FakeMessenger;
const faults: string[] = [];

const dbaPolicy = (channels: readonly string[], windowMs = noticeRetryMaxMs) =>
  approvalPolicy("dba", { stages: [stageBy("group:dba", { required: 2 })], channels, windowMs });

const relayOf = (to: ServiceHarness): Relay => createHarnessRelay(to, faults);

beforeEach(async () => {
  harness = await openServiceHarness();
  await harness.configure([dbaPolicy(["slack:C0DBA"])]);
  slack = fakeMessenger("slack");
  email = fakeMessenger("email");
  harness.context.surfaces.add(slack);
  harness.context.surfaces.add(email);
  relay = relayOf(harness);
  faults.length = 0;
});
afterEach(async () => {
  await relay.stop();
  await harness.close();
});

const ask = async () => {
  const { request } = unwrap(await harness.ask("dev"));
  await relay.drain();
  return request.id;
};
const approve = async (name: string, id: string) =>
  harness.services.requestCommands.approve(await harness.caller(name), id, {});
const read = async (id: string) =>
  unwrap(await harness.services.requestQueries.read(await harness.caller("dev"), id));
/** Lets time pass in steps and runs what is due, as the sweep does. */
const pass = async (ms: number, stepMs = 5 * secondMs) => {
  for (let passed = 0; passed < ms; passed += stepMs) {
    harness.clock.pass(Math.min(stepMs, ms - passed));
    await relay.drain();
  }
};

describe("who is notified", () => {
  test("approvers, requester and the policy's channel get the card; approvers get an e-mail", async () => {
    await ask();
    for (const name of ["ann", "bob", "cid"]) {
      expect(slack.cardsAt(`@id_${name}`)).toMatchObject([
        {
          audience: "approver",
          askedAs: ["group:dba"],
          actions: ["approve", "deny", "approve_for_less", "details"],
        },
      ]);
      expect(email.noticesAt(`@id_${name}`)).toEqual(["submitted"]);
    }
    expect(slack.cardsAt("@id_dev")).toMatchObject([{ audience: "requester", actions: ["cancel"] }]);
    expect(slack.cardsAt("C0DBA")).toMatchObject([{ audience: "channel" }]);
    expect(email.notes.map(({ address }) => address)).not.toContain("@id_dev");
  });

  test("after the decision every card shows it with the remaining actions, and the requester is notified", async () => {
    const id = await ask();
    await approve("ann", id);
    await relay.drain();
    expect(slack.cardsAt("@id_cid")).toMatchObject([{ request: { approvals: [{ given: 1, required: 2 }] } }]);
    await approve("bob", id);
    await relay.drain();
    for (const address of ["@id_ann", "@id_bob", "@id_cid", "C0DBA"]) {
      expect(slack.cardsAt(address)).toMatchObject([
        { request: { status: "APPROVED" }, decidedBy: { name: "bob" }, actions: ["revoke", "details"] },
      ]);
    }
    expect(slack.cardsAt("@id_dev")).toMatchObject([{ actions: ["show_credential", "cancel"] }]);
    expect(slack.noticesAt("@id_dev")).toEqual(["approved"]);
    expect(slack.noticesAt("C0DBA")).toEqual(["approved"]);
    expect(email.noticesAt("@id_dev")).toEqual(["approved"]);
    expect(slack.notes.every(({ thread }) => thread !== null)).toBe(true);
  });

  test("only on the surfaces the request names; an unreachable approver on any other", async () => {
    const { request } = unwrap(await harness.ask("dev", { notifyChannels: ["teams", "email"] }));
    await relay.drain();
    expect(slack.cardsAt("@id_ann")).toEqual([]);
    expect(slack.cardsAt("C0DBA")).toHaveLength(1);
    expect(email.noticesAt("@id_ann")).toEqual(["submitted"]);
    expect((await read(request.id)).notifications).toEqual([
      { channel: "teams", state: "NOT_CONFIGURED" },
      { channel: "email", state: "SENT" },
    ]);
    const second = unwrap(await harness.ask("dev", { scopes: ["read:prod:b"], notifyChannels: ["teams"] }));
    await relay.drain();
    expect(second.request.status).toBe("PENDING");
    expect(slack.cardsAt("@id_ann")).toHaveLength(1);
  });

  test("the end is announced once, ten minutes before", async () => {
    const id = await ask();
    await approve("ann", id);
    await approve("bob", id);
    unwrap(await harness.services.requestCommands.claim(await harness.caller("dev"), id));
    await relay.drain();
    await pass(4 * hourMs - 11 * minuteMs, 10 * minuteMs);
    expect(slack.noticesAt("@id_dev")).not.toContain("ending_soon");
    await pass(2 * minuteMs);
    expect(slack.noticesAt("@id_dev").filter((notice) => notice === "ending_soon")).toHaveLength(1);
  });

  test("a person is notified of a new key in their name on every surface", async () => {
    const admin = await harness.caller("sec", "admin");
    await harness.services.apiKeys.create(admin, { identityId: "id_dev", roles: ["requester"], name: null });
    await relay.drain();
    expect(slack.notes).toMatchObject([{ address: "@id_dev", note: { about: "key", mintedBy: "sec" } }]);
    expect(email.noticesAt("@id_dev")).toEqual(["key"]);
  });

  test("administrators are notified of a link request on every surface, unless it was linked in the meantime", async () => {
    const admin = assertPresent(parseSelector("group:security"), "selector");
    await harness.configure([dbaPolicy([])], { chatRoles: { admin: [admin], auditor: [] } });
    const account = { surface: "slack", team: "T1", user: "U1" } as const;
    const who = { displayName: "Dev", email: "dev@company.com" };
    await harness.services.accountLinks.askForLink(account, who);
    await relay.drain();
    for (const name of ["sec", "sam"]) {
      expect(slack.notes.filter(({ address }) => address === `@id_${name}`)).toMatchObject([
        { note: { about: "link", account, ...who, candidate: { id: "id_dev", name: "dev" } } },
      ]);
      expect(email.noticesAt(`@id_${name}`)).toEqual(["link"]);
    }
    await harness.services.accountLinks.askForLink(account, who);
    await harness.services.accountLinks.link(await harness.caller("sec", "admin"), account, "id_dev");
    await relay.drain();
    // The message now says that the account is linked, and nobody is asked again.
    expect(slack.noticesAt("@id_sec")).toEqual(["linked"]);
  });
});

describe("failures", () => {
  test("an unreachable approver is shown at submission and on the requester's card", async () => {
    await relay.stop();
    const reachesAllButCid = (id: string): boolean => id !== "id_cid";
    slack = fakeMessenger("slack", { reaches: reachesAllButCid });
    email = fakeMessenger("email", { reaches: reachesAllButCid });
    harness.context.surfaces.add(slack);
    harness.context.surfaces.add(email);
    relay = relayOf(harness);
    const { request } = unwrap(await harness.ask("dev"));
    expect(request.approvers.find(({ identityId }) => identityId === "id_cid")?.reachableOn).toEqual([]);
    expect(request.approvers.find(({ identityId }) => identityId === "id_ann")?.reachableOn).toEqual([
      "slack",
      "email",
    ]);
    await pass(20 * secondMs);
    expect(slack.cardsAt("@id_dev").at(0)?.reach).toEqual({
      reached: 2,
      inFlight: 0,
      asked: 3,
      unreachedNames: ["cid"],
    });
  });

  test("a permanent failure for one recipient affects no other, is recorded, and notifies the requester", async () => {
    slack.failure = (address) => (address === "@id_cid" ? rejectForGood() : undefined);
    email.failure = (address) => (address === "@id_cid" ? rejectForGood() : undefined);
    const id = await ask();
    expect(slack.cardsAt("@id_ann")).toHaveLength(1);
    expect(slack.noticesAt("@id_dev")).toEqual(["unreached"]);
    expect(slack.cardsAt("@id_dev")).toMatchObject([
      { reach: { reached: 2, inFlight: 0, asked: 3, unreachedNames: ["cid"] } },
    ]);
    const failed = (await harness.audit()).filter(({ action }) => action === "notification.failed");
    expect(failed.map(({ data }) => data)).toEqual(
      expect.arrayContaining([
        { surface: "slack", what: "card", code: "channel_not_found" },
        { surface: "email", what: "submitted", code: "channel_not_found" },
      ]),
    );
    expect((await read(id)).notifications).toContainEqual({ channel: "slack", state: "PARTLY_SENT" });
  });

  test("a surface that is down gets single probes and catches up later; the other surface continues", async () => {
    slack.failure = failAsDown;
    const id = await ask();
    expect(email.noticesAt("@id_ann")).toEqual(["submitted"]);
    const before = slack.attempts.length;
    await pass(10 * minuteMs);
    // A single probe at most every 30 s.
    expect(slack.attempts.length - before).toBeLessThan(40);
    await approve("ann", id);
    slack.failure = () => undefined;
    await pass(minuteMs);
    expect(slack.cardsAt("@id_bob")).toMatchObject([{ request: { approvals: [{ given: 1 }] } }]);
  });

  test("a failed rewrite is repeated, also after a restart", async () => {
    const id = await ask();
    slack.failure = (address) => (address === "@id_bob" ? failAsDown() : undefined);
    await harness.services.requestCommands.deny(await harness.caller("ann"), id, "no");
    await relay.drain();
    await relay.stop();
    slack.failure = () => undefined;
    relay = relayOf(harness);
    await pass(minuteMs);
    const all = ["ann", "bob", "cid", "dev"].map((name) => slack.cardsAt(`@id_${name}`));
    expect(all).toMatchObject(Array.from({ length: 4 }, () => [{ request: { status: "DENIED" } }]));
  });

  test("several changes in a row rewrite each card once, to its latest state", async () => {
    const id = await ask();
    await approve("ann", id);
    await approve("bob", id);
    await relay.drain();
    const cards = [...slack.shown.values()].filter(({ address }) => address !== "@id_dev");
    expect(cards.map(({ rewritten, card }) => [rewritten, card.request.status])).toEqual(
      Array.from({ length: 4 }, () => [1, "APPROVED"]),
    );
  });

  test("a postponed rewrite delays no other message to the same reader", async () => {
    const id = await ask();
    slack.failure = (_, what) => {
      if (what === "rewrite") {
        throw new DeliveryFault("paced", { retryable: true, retryAfterMs: 42 * secondMs });
      }
    };
    await harness.services.requestCommands.deny(await harness.caller("ann"), id, "no");
    await relay.drain();
    unwrap(await harness.ask("dev", { scopes: ["read:prod:b"] }));
    await relay.drain();
    expect(slack.noticesAt("@id_dev")).toEqual(["denied"]);
    expect(slack.cardsAt("@id_cid").map(({ request }) => request.status)).toEqual(["PENDING", "PENDING"]);
    slack.failure = () => undefined;
    await pass(43 * secondMs, secondMs);
    expect(slack.cardsAt("@id_cid").map(({ request }) => request.status)).toEqual(["DENIED", "PENDING"]);
  });

  test("Retry-After is respected, and no other recipient waits", async () => {
    let isLimited = false;
    slack.failure = (address) => {
      if (address !== "@id_ann" || isLimited) return;
      isLimited = true;
      throw new DeliveryFault("rate_limited", { retryable: true, retryAfterMs: 42 * secondMs });
    };
    await ask();
    expect(slack.cardsAt("@id_bob")).toHaveLength(1);
    await pass(41 * secondMs, secondMs);
    expect(slack.cardsAt("@id_ann")).toHaveLength(0);
    await pass(2 * secondMs, secondMs);
    expect(slack.cardsAt("@id_ann")).toHaveLength(1);
  });

  test("a delivery fails after a day of retries, is recorded, and later messages to the recipient are sent", async () => {
    slack.failure = (address) => {
      if (address === "@id_ann") throw new DeliveryFault("timeout", { retryable: true });
    };
    await harness.configure([dbaPolicy([], 3 * noticeRetryMaxMs)]);
    await ask();
    await pass(noticeRetryMaxMs + 10 * minuteMs, 10 * minuteMs);
    expect((await harness.audit()).filter(({ action }) => action === "notification.failed")).toHaveLength(1);
    slack.failure = () => undefined;
    unwrap(await harness.ask("dev", { scopes: ["read:prod:b"] }));
    await relay.drain();
    expect(slack.cardsAt("@id_ann")).toHaveLength(1);
  });

  test("an approver who was not reached before the decision is not asked afterwards", async () => {
    slack.failure = (address) => (address === "@id_ann" ? failAsDown() : undefined);
    const id = await ask();
    await harness.services.requestCommands.deny(await harness.caller("bob"), id, "no");
    slack.failure = () => undefined;
    await pass(minuteMs);
    expect(slack.cardsAt("@id_ann")).toEqual([]);
    expect(slack.cardsAt("@id_bob")).toMatchObject([{ request: { status: "DENIED" } }]);
  });

  test("a kill between sending and settling repeats a message at most once and loses none", async () => {
    const { request } = unwrap(await harness.ask("dev"));
    void createDyingRelay(harness).drain();
    await expect.poll(async () => (await harness.store.dueEffects(harness.clock.now(), 9)).length).toBe(0);
    harness.clock.pass(3 * minuteMs);
    await relay.drain();
    const counts = ["ann", "bob", "cid", "dev"].map((name) => slack.cardsAt(`@id_${name}`).length);
    expect(counts.filter((count) => count !== 1 && count !== 2)).toEqual([]);
    expect((await read(request.id)).notifications).toContainEqual({ channel: "slack", state: "SENT" });
  });

  test("a hanging surface does not delay a thousand messages on the other", async () => {
    const limits = { pendingPerIdentity: 1_000, activePerIdentity: 1_000 };
    await harness.configure([dbaPolicy([])], { limits });
    // The worst case: it hangs instead of failing.
    slack.failure = () => new Promise(() => {});
    // Eight deliveries each: five cards and three e-mails.
    for (let count = 0; count < 130; count++) {
      expect(refusalOrStatus(await harness.ask("dev", { scopes: [`read:prod:db-${count}`] }))).toBe(
        "PENDING",
      );
    }
    relay.wake();
    await expect.poll(() => email.notes.length, { timeout: 20_000 }).toBe(130 * 3);
  });

  test("messages to one recipient are sent in order, despite failures", async () => {
    let count = 0;
    slack.failure = (address, what) => {
      if (address === "@id_dev" && what === "direct" && ++count <= 3) failAsDown();
    };
    const id = await ask();
    await approve("ann", id);
    await approve("bob", id);
    await harness.services.requestCommands.revoke(await harness.caller("ann"), id, "not now");
    await pass(3 * minuteMs);
    expect(slack.noticesAt("@id_dev")).toEqual(["approved", "ended"]);
  });
});
