import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { assertPresent } from "../../../src/core/values/assert.ts";
import { parseSelector } from "../../../src/core/values/identity.ts";
import { hourMs, minuteMs, secondMs } from "../../../src/core/values/time.ts";
import type { Relay } from "../../../src/background/outbox/relay.ts";
import { noticeRetryMaxMs } from "../../../src/background/outbox/deliveries/delivery-records.ts";
import { DeliveryFault } from "../../../src/service/messaging/messenger.ts";
import { approvalPolicy, stageBy } from "../../core/support/policies.ts";
import { granted, openServiceHarness, saidTo } from "../../service/support/service-harness.ts";
import type { ServiceHarness } from "../../service/support/service-harness.ts";
import { dyingRelay, createHarnessRelay } from "./support/harness-relay.ts";
import { fakeMessenger, isDown, refuses, type FakeMessenger } from "./support/fake-messenger.ts";

let harness: ServiceHarness;
let relay: Relay;
let slack: FakeMessenger;
let email: FakeMessenger;
const faults: string[] = [];

const dbaPolicy = (channels: readonly string[], windowMs = noticeRetryMaxMs) =>
  approvalPolicy("dba", { stages: [stageBy("group:dba", { required: 2 })], channels, windowMs });

const relayOf = (one: ServiceHarness): Relay => createHarnessRelay(one, faults);

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
  const { request } = granted(await harness.ask("dev"));
  await relay.drain();
  return request.id;
};
const approve = async (name: string, id: string) =>
  harness.services.requestCommands.approve(await harness.caller(name), id, {});
const read = async (id: string) => {
  const view = await harness.services.requestQueries.read(await harness.caller("dev"), id);
  if ("refused" in view) throw new Error(view.detail);
  return view;
};
/** Lets time go by as the sweep does: the relay looks every few seconds. */
const pass = async (ms: number, stepMs = 5 * secondMs) => {
  for (let passed = 0; passed < ms; passed += stepMs) {
    harness.clock.pass(Math.min(stepMs, ms - passed));
    await relay.drain();
  }
};

describe("who is told what", () => {
  test("approvers get the card, the requester a confirmation, the policy's channel a copy; letters go to approvers", async () => {
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
    expect(email.said.map((one) => one.address)).not.toContain("@id_dev");
  });

  test("after the decision every copy says so and offers only what still makes sense; the requester is told", async () => {
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
    expect(slack.said.every((one) => one.thread !== null)).toBe(true);
  });

  test("only on the channels the request names; an approver who cannot be reached there, on any other", async () => {
    const { request } = granted(await harness.ask("dev", { notifyChannels: ["teams", "email"] }));
    await relay.drain();
    expect(slack.cardsAt("@id_ann")).toEqual([]);
    expect(slack.cardsAt("C0DBA")).toHaveLength(1);
    expect(email.noticesAt("@id_ann")).toEqual(["submitted"]);
    expect((await read(request.id)).notifications).toEqual([
      { channel: "teams", state: "NOT_CONFIGURED" },
      { channel: "email", state: "SENT" },
    ]);
    const second = granted(await harness.ask("dev", { scopes: ["read:prod:b"], notifyChannels: ["teams"] }));
    await relay.drain();
    expect(second.request.status).toBe("PENDING");
    expect(slack.cardsAt("@id_ann")).toHaveLength(1);
  });

  test("nearly over is told ten minutes before, not when it was prolonged or ended meanwhile", async () => {
    const id = await ask();
    await approve("ann", id);
    await approve("bob", id);
    granted(await harness.services.requestCommands.claim(await harness.caller("dev"), id));
    await relay.drain();
    await pass(4 * hourMs - 11 * minuteMs, 10 * minuteMs);
    expect(slack.noticesAt("@id_dev")).not.toContain("ending_soon");
    await pass(2 * minuteMs);
    expect(slack.noticesAt("@id_dev").filter((one) => one === "ending_soon")).toHaveLength(1);
  });

  test("a key made in somebody's name is told to them wherever they are", async () => {
    const admin = await harness.caller("sec", "admin");
    await harness.services.apiKeys.create(admin, { identityId: "id_dev", roles: ["requester"], name: null });
    await relay.drain();
    expect(slack.said).toMatchObject([{ address: "@id_dev", note: { about: "key", mintedBy: "sec" } }]);
    expect(email.noticesAt("@id_dev")).toEqual(["key"]);
  });

  test("who asks to be linked is told to administrators wherever they are, unless linked meanwhile", async () => {
    const admin = assertPresent(parseSelector("group:security"), "selector");
    await harness.configure([dbaPolicy([])], { chatRoles: { admin: [admin], auditor: [] } });
    const account = { surface: "slack", team: "T1", user: "U1" } as const;
    const who = { displayName: "Dev", email: "dev@company.com" };
    await harness.services.accountLinks.askForLink(account, who);
    await relay.drain();
    for (const name of ["sec", "sam"]) {
      expect(slack.said.filter((one) => one.address === `@id_${name}`)).toMatchObject([
        { note: { about: "link", account, ...who, candidate: { id: "id_dev", name: "dev" } } },
      ]);
      expect(email.noticesAt(`@id_${name}`)).toEqual(["link"]);
    }
    await harness.services.accountLinks.askForLink(account, who);
    await harness.services.accountLinks.link(await harness.caller("sec", "admin"), account, "id_dev");
    await relay.drain();
    // The message that asked says now that it was done, and nobody is asked again.
    expect(slack.noticesAt("@id_sec")).toEqual(["linked"]);
  });
});

describe("bad luck", () => {
  test("one who cannot be reached at all is shown at submission and on the requester's card", async () => {
    await relay.stop();
    const lost = (id: string): boolean => id !== "id_cid";
    slack = fakeMessenger("slack", { reaches: lost });
    email = fakeMessenger("email", { reaches: lost });
    harness.context.surfaces.add(slack);
    harness.context.surfaces.add(email);
    relay = relayOf(harness);
    const { request } = granted(await harness.ask("dev"));
    expect(request.approvers.find((one) => one.identityId === "id_cid")?.reachableOn).toEqual([]);
    expect(request.approvers.find((one) => one.identityId === "id_ann")?.reachableOn).toEqual([
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

  test("a recipient who refuses for good harms no other, is on record, and the requester hears of it", async () => {
    slack.trouble = (address) => (address === "@id_cid" ? refuses() : undefined);
    email.trouble = (address) => (address === "@id_cid" ? refuses() : undefined);
    const id = await ask();
    expect(slack.cardsAt("@id_ann")).toHaveLength(1);
    expect(slack.noticesAt("@id_dev")).toEqual(["unreached"]);
    expect(slack.cardsAt("@id_dev")).toMatchObject([
      { reach: { reached: 2, inFlight: 0, asked: 3, unreachedNames: ["cid"] } },
    ]);
    const failed = (await harness.audit()).filter((one) => one.action === "notification.failed");
    expect(failed.map((one) => one.data)).toEqual(
      expect.arrayContaining([
        { surface: "slack", what: "card", code: "channel_not_found" },
        { surface: "email", what: "submitted", code: "channel_not_found" },
      ]),
    );
    expect((await read(id)).notifications).toContainEqual({ channel: "slack", state: "PARTLY_SENT" });
  });

  test("a surface that is down is tried by one alone and catches up when it is back; the other goes on", async () => {
    slack.trouble = isDown;
    const id = await ask();
    expect(email.noticesAt("@id_ann")).toEqual(["submitted"]);
    const before = slack.tried.length;
    await pass(10 * minuteMs);
    // Held for 30 s at a time, a single probe each.
    expect(slack.tried.length - before).toBeLessThan(40);
    await approve("ann", id);
    slack.trouble = () => undefined;
    await pass(minuteMs);
    expect(slack.cardsAt("@id_bob")).toMatchObject([{ request: { approvals: [{ given: 1 }] } }]);
  });

  test("a rewrite that failed at first is made up for, also after a restart", async () => {
    const id = await ask();
    slack.trouble = (address) => (address === "@id_bob" ? isDown() : undefined);
    await harness.services.requestCommands.deny(await harness.caller("ann"), id, "no");
    await relay.drain();
    await relay.stop();
    slack.trouble = () => undefined;
    relay = relayOf(harness);
    await pass(minuteMs);
    const all = ["ann", "bob", "cid", "dev"].map((name) => slack.cardsAt(`@id_${name}`));
    expect(all).toMatchObject(Array.from({ length: 4 }, () => [{ request: { status: "DENIED" } }]));
  });

  test("several changes in a row rewrite each copy once, to its latest state", async () => {
    const id = await ask();
    await approve("ann", id);
    await approve("bob", id);
    await relay.drain();
    const copies = [...slack.shown.values()].filter(({ address }) => address !== "@id_dev");
    expect(copies.map(({ rewritten, card }) => [rewritten, card.request.status])).toEqual(
      Array.from({ length: 4 }, () => [1, "APPROVED"]),
    );
  });

  test("a rewrite that has to wait for its turn holds up nothing else for the same reader", async () => {
    const id = await ask();
    slack.trouble = (_, what) => {
      if (what === "rewrite") {
        throw new DeliveryFault("paced", { retryable: true, retryAfterMs: 42 * secondMs });
      }
    };
    await harness.services.requestCommands.deny(await harness.caller("ann"), id, "no");
    await relay.drain();
    granted(await harness.ask("dev", { scopes: ["read:prod:b"] }));
    await relay.drain();
    expect(slack.noticesAt("@id_dev")).toEqual(["denied"]);
    expect(slack.cardsAt("@id_cid").map(({ request }) => request.status)).toEqual(["PENDING", "PENDING"]);
    slack.trouble = () => undefined;
    await pass(43 * secondMs, secondMs);
    expect(slack.cardsAt("@id_cid").map(({ request }) => request.status)).toEqual(["DENIED", "PENDING"]);
  });

  test("who says when to come back is believed, and nobody else waits", async () => {
    let isTold = false;
    slack.trouble = (address) => {
      if (address !== "@id_ann" || isTold) return;
      isTold = true;
      throw new DeliveryFault("rate_limited", { retryable: true, retryAfterMs: 42 * secondMs });
    };
    await ask();
    expect(slack.cardsAt("@id_bob")).toHaveLength(1);
    await pass(41 * secondMs, secondMs);
    expect(slack.cardsAt("@id_ann")).toHaveLength(0);
    await pass(2 * secondMs, secondMs);
    expect(slack.cardsAt("@id_ann")).toHaveLength(1);
  });

  test("delivery is given up after a day, says so, and what follows to the same recipient goes out", async () => {
    slack.trouble = (address) => {
      if (address === "@id_ann") throw new DeliveryFault("timeout", { retryable: true });
    };
    await harness.configure([dbaPolicy([], 3 * noticeRetryMaxMs)]);
    await ask();
    await pass(noticeRetryMaxMs + 10 * minuteMs, 10 * minuteMs);
    expect((await harness.audit()).filter((one) => one.action === "notification.failed")).toHaveLength(1);
    slack.trouble = () => undefined;
    granted(await harness.ask("dev", { scopes: ["read:prod:b"] }));
    await relay.drain();
    expect(slack.cardsAt("@id_ann")).toHaveLength(1);
  });

  test("an approver who was not told before it was decided is not asked afterwards", async () => {
    slack.trouble = (address) => (address === "@id_ann" ? isDown() : undefined);
    const id = await ask();
    await harness.services.requestCommands.deny(await harness.caller("bob"), id, "no");
    slack.trouble = () => undefined;
    await pass(minuteMs);
    expect(slack.cardsAt("@id_ann")).toEqual([]);
    expect(slack.cardsAt("@id_bob")).toMatchObject([{ request: { status: "DENIED" } }]);
  });

  test("killed between sending and settling: at most one repeat, never a loss", async () => {
    const { request } = granted(await harness.ask("dev"));
    // The relay dies in the middle of everything it has sent: nothing of it is ever settled.
    void dyingRelay(harness).drain();
    await expect.poll(async () => (await harness.store.dueEffects(harness.clock.now(), 9)).length).toBe(0);
    harness.clock.pass(3 * minuteMs);
    await relay.drain();
    const counts = ["ann", "bob", "cid", "dev"].map((name) => slack.cardsAt(`@id_${name}`).length);
    expect(counts.filter((count) => count !== 1 && count !== 2)).toEqual([]);
    expect((await read(request.id)).notifications).toContainEqual({ channel: "slack", state: "SENT" });
  });

  test("a thousand messages with one dead surface drain on the other without delay", async () => {
    const limits = { pendingPerIdentity: 1_000, activePerIdentity: 1_000 };
    await harness.configure([dbaPolicy([])], { limits });
    // Hangs rather than refuses: the worst there is.
    slack.trouble = () => new Promise(() => {});
    // Eight deliveries each: five cards and three letters.
    for (let count = 0; count < 130; count++) {
      expect(saidTo(await harness.ask("dev", { scopes: [`read:prod:db-${count}`] }))).toBe("PENDING");
    }
    relay.wake();
    await expect.poll(() => email.said.length, { timeout: 20_000 }).toBe(130 * 3);
  });

  test("what is said to one recipient is said in order, whatever fails in between", async () => {
    let count = 0;
    slack.trouble = (address, what) => {
      if (address === "@id_dev" && what === "direct" && ++count <= 3) isDown();
    };
    const id = await ask();
    await approve("ann", id);
    await approve("bob", id);
    await harness.services.requestCommands.revoke(await harness.caller("ann"), id, "not now");
    await pass(3 * minuteMs);
    expect(slack.noticesAt("@id_dev")).toEqual(["approved", "ended"]);
  });
});
