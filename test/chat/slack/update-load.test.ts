import { afterEach, beforeEach, expect, test } from "vitest";
import { secondMs } from "../../../src/core/values/time.ts";
import { createUpdateRateLimiter, updatesPerMinuteMax } from "../../../src/chat/slack/outbound/rate-limit.ts";
import { approvalPolicy, stageBy } from "../../core/support/policies.ts";
import { staff } from "../../service/support/service-harness.ts";
import { buttonsOf, slackId } from "./support/slack-users.ts";
import { openSlackHarness, type SlackHarness } from "./support/slack-harness.ts";

const crowd = Array.from({ length: 30 }, (_, count) => `a${count}`);
const policies = [
  approvalPolicy("crowd", { stages: [stageBy("group:crowd", { required: 3 })], channels: [] }),
];

let harness: SlackHarness;
beforeEach(async () => {
  harness = await openSlackHarness(policies);
  const people = crowd.map((name) =>
    staff(name, { groups: ["crowd"], links: { slack: { teamId: "T0TEAM", userId: slackId(name) } } }),
  );
  await harness.service.configure(policies, {}, [...harness.people, ...people]);
});
afterEach(async () => {
  await harness.close();
});

const dm = (name: string) => harness.fake.messagesIn(harness.fake.dmOf(slackId(name)));
const ask = async (scope: string) => {
  const asked = await harness.service.ask("dev", { scopes: [scope], duration: "1h" });
  await harness.settle();
  return "request" in asked ? asked.request.id : asked.detail;
};
const approve = async (name: string, id: string) => {
  await harness.service.services.requestCommands.approve(await harness.service.caller(name), id, {});
  await harness.settle();
};
const words = (name: string, at = 0) => JSON.stringify(dm(name)[at]?.blocks);

test("thirty approvers, quorum of three: all cards become current within Slack's limit per minute", async () => {
  const id = await ask("read:prod:orders-db");
  for (const name of ["a0", "a1", "a2"]) await approve(name, id);
  for (let passed = 0; passed < 60; passed += 5) {
    harness.service.clock.pass(5 * secondMs);
    await harness.settle();
  }
  for (const name of crowd) {
    expect(dm(name)).toHaveLength(1);
    expect(words(name)).toContain("3 of 3");
    expect(buttonsOf(dm(name)[0] ?? { blocks: [] })).toEqual(["Revoke", "Details"]);
  }
  expect(harness.fake.throttled).toBe(0);
});

test("new messages reach everybody at once, while rewrites wait", async () => {
  const id = await ask("read:prod:orders-db");
  await approve("a0", id);
  await approve("a1", id);
  await approve("a2", id);
  await ask("read:prod:other-db");
  for (const name of crowd) expect(dm(name)).toHaveLength(2);
  expect(dm("dev").length).toBeGreaterThanOrEqual(2);
});

test("after a 429 rewrites wait as long as Slack says, and nothing else waits", async () => {
  const id = await ask("read:prod:orders-db");
  harness.fake.trouble = (method) => (method === "chat.update" ? { status: 429, retryAfter: 30 } : undefined);
  await harness.service.services.requestCommands.deny(await harness.service.caller("a0"), id, "no");
  await harness.settle();
  const attempts = () => harness.fake.calls.filter((one) => one.method === "chat.update").length;
  const before = attempts();
  // Only those that were in flight together.
  expect(before).toBeLessThanOrEqual(10);
  expect(dm("dev").some(({ text }) => text.includes("denied"))).toBe(true);
  harness.service.clock.pass(20 * secondMs);
  await harness.settle();
  expect(attempts()).toBe(before);
  harness.fake.trouble = () => undefined;
  harness.service.clock.pass(15 * secondMs);
  await harness.settle();
  for (const name of crowd) expect(words(name)).toContain("Denied");
});

test("misleading messages are rewritten before messages that are only outdated", () => {
  let now = 0;
  const budget = createUpdateRateLimiter(() => now);
  for (let count = 0; count < updatesPerMinuteMax.behind; count++) budget.take(false);
  expect(() => budget.take(false)).toThrow("paced");
  for (let count = updatesPerMinuteMax.behind; count < updatesPerMinuteMax.misleading; count++)
    budget.take(true);
  expect(() => budget.take(true)).toThrow("paced");
  now = 60 * secondMs;
  budget.take(false);
  budget.pause(5 * secondMs);
  expect(() => budget.take(true)).toThrow(expect.objectContaining({ retryAfterMs: 5 * secondMs }));
});

const withChannel = [
  approvalPolicy("crowd", {
    stages: [stageBy("group:crowd", { required: 3, remindersMs: [60 * secondMs] })],
    channels: ["slack:C0CROWD"],
  }),
];

async function configureChannel(members: readonly string[] | null): Promise<void> {
  const people = crowd.map((name) =>
    staff(name, { groups: ["crowd"], links: { slack: { teamId: "T0TEAM", userId: slackId(name) } } }),
  );
  await harness.service.configure(withChannel, {}, [...harness.people, ...people]);
  if (members !== null) harness.fake.channelMembers.set("C0CROWD", members.map(slackId));
}

test("above ten approvers the policy's channel gets the card and mentions its members; others get a message", async () => {
  await configureChannel(crowd.slice(0, 28));
  await ask("read:prod:orders-db");
  for (const name of crowd.slice(0, 28)) expect(dm(name)).toEqual([]);
  for (const name of crowd.slice(28)) expect(dm(name)).toHaveLength(1);
  const [card] = harness.fake.messagesIn("C0CROWD");
  expect(JSON.stringify(card?.blocks)).toContain(`<@${slackId("a0")}>`);
  expect(JSON.stringify(card?.blocks)).not.toContain(`<@${slackId("a29")}>`);
  harness.service.clock.pass(20 * secondMs);
  await harness.settle();
  expect(JSON.stringify(dm("dev")[0]?.blocks)).not.toContain("reached");
});

test("approvers whom the channel covers are reminded in the channel", async () => {
  await configureChannel(crowd);
  const id = await ask("read:prod:orders-db");
  harness.service.clock.pass(61 * secondMs);
  await harness.service.services.grants.tick(id);
  await harness.settle();
  for (const name of crowd) expect(dm(name)).toEqual([]);
  const [, reminder] = harness.fake.messagesIn("C0CROWD");
  expect(reminder?.text).toContain("Still waiting");
  expect(JSON.stringify(reminder?.blocks)).toContain("Please decide: <@");
});

test("if Slack does not list the channel's members, everybody gets a message", async () => {
  await configureChannel(null);
  await ask("read:prod:orders-db");
  for (const name of crowd) expect(dm(name)).toHaveLength(1);
  expect(harness.fake.messagesIn("C0CROWD")).toHaveLength(1);
});

test("if the covering channel cannot be posted to, everybody gets a message", async () => {
  await configureChannel(crowd);
  harness.fake.unpostable.set("C0CROWD", "is_archived");
  await ask("read:prod:orders-db");
  for (const name of crowd) expect(dm(name)).toHaveLength(1);
});
