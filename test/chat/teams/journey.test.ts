import { describe, expect, test } from "vitest";
import { assertPresent } from "../../../src/core/values/assert.ts";
import { hourMs, minuteMs } from "../../../src/core/values/time.ts";
import { approvalPolicy, stageBy } from "../../core/support/policies.ts";
import { tenantId, type FakeButton } from "../../fakes/teams/bot-framework.ts";
import { chatPolicies } from "../conversation/support/policy-fixtures.ts";
import { channelId, introduce, teamsForEach } from "./support/teams-harness.ts";
import { button, titles, wordsOn } from "./support/teams-users.ts";

const twoOfDba = approvalPolicy(
  "pair",
  {
    stages: [stageBy("group:dba", { required: 2, remindersMs: [5 * minuteMs] })],
    channels: [`teams:${channelId}`],
  },
  { conditions: [{ type: "RESOURCE", operator: "STARTS_WITH", value: "pair:" }] },
);
const harness = teamsForEach(() => [...chatPolicies(), twoOfDba]);

const inChannel = {
  conversation: {
    id: `${channelId};messageid=1`,
    conversationType: "channel",
    tenantId,
  },
};
interface Refresh {
  readonly userIds: readonly string[];
  readonly action: FakeButton;
}
const requestIdOn = (text: string): string => /jit_\w+/.exec(text)?.[0] ?? "no id";

test("request, approve, show and end access: every card is current at every step", async () => {
  const h = harness();
  await introduce(h);
  await h.say("dev", "request read:prod:orders-db for 2h because INC-42");
  const [answer, asked] = h.cardsOf("dev");
  expect(wordsOn(answer)).toContain("Asked: ");
  expect(titles(asked)).toEqual(["Cancel request"]);
  const id = requestIdOn(wordsOn(asked));
  const annsCard = () => h.cardsOf("ann").at(-1);
  expect(titles(annsCard())).toEqual(["Approve", "Deny", "Approve for less…", "Details"]);
  expect(wordsOn(annsCard())).toContain("INC-42");
  expect(wordsOn(annsCard())).toContain(`Request ${id}`);

  const approval = await h.press("ann", button(annsCard(), "Approve"));
  expect(wordsOn(approval.card)).toContain("You approved it; the requester is notified.");
  expect(titles(approval.card)).toEqual(["Revoke", "Details"]);
  await h.settle();
  for (const name of ["ann", "bob", "cid"]) {
    expect(titles(h.cardsOf(name).at(-1))).toEqual(["Revoke", "Details"]);
    expect(wordsOn(h.cardsOf(name).at(-1))).toContain("ann");
  }
  const ready = h.cardsOf("dev").find((card) => titles(card).includes("Show credential"));
  const shown = await h.pressInDialog("dev", button(ready, "Show credential"));
  expect(wordsOn(shown.card)).toMatch(/kd_jit_[0-9A-Za-z]{36}/);
  expect(shown.card.actions).toEqual([]);
  await h.settle();
  const active = h.cardsOf("dev").find((card) => titles(card).includes("I'm done"));
  expect(titles(active)).toEqual(["Extend", "I'm done", "Replace credential"]);
  const done = await h.press("dev", button(active, "I'm done"));
  expect(wordsOn(done.card)).toContain("Your access has ended");
  await h.settle();
  for (const name of ["dev", "ann", "bob", "cid"]) {
    const card = h
      .cardsOf(name)
      .findLast((one) => wordsOn(one).includes(id) && wordsOn(one).includes("Access: "));
    expect({ name, titles: titles(card) }).toEqual({ name, titles: [] });
    expect(wordsOn(card)).toContain("Done");
  }
});

test("one press builds one card: a decision, a late one, a form and what is sent with it", async () => {
  const h = harness();
  await introduce(h);
  await h.say("dev", "request read:prod:orders-db for 2h because INC-42");
  const [card, stale] = [h.cardsOf("ann").at(-1), h.cardsOf("bob").at(-1)];
  h.cardBuilds.take();
  const form = await h.press("ann", button(card, "Deny"));
  expect(h.cardBuilds.take()).toBe(1);
  await h.press("ann", button(form.card, "Deny"), { "field:one:words": "use the replica" });
  expect(h.cardBuilds.take()).toBe(1);
  await h.press("bob", button(stale, "Approve"));
  expect(h.cardBuilds.take()).toBe(1);
});

test("only the requester's dialog shows the credential, and nothing stores it", async () => {
  const h = harness();
  await introduce(h);
  await h.say("dev", "request write:dev:playground for 1h because a look");
  const ready = h.cardsOf("dev").find((card) => titles(card).includes("Show credential"));
  const showing = button(ready, "Show credential");
  expect(showing).toMatchObject({ type: "Action.Submit", data: { msteams: { type: "task/fetch" } } });
  // A press that is not answered by a dialog makes no claim.
  const executed = await h.press("dev", { ...showing, verb: "card:show_credential" });
  expect(titles(executed.card)).toContain("Show credential");
  // Neither does a press by somebody else.
  const other = await h.pressInDialog("ann", showing);
  expect(other.text).not.toContain("kd_jit_");
  const shown = await h.pressInDialog("dev", showing);
  const token = /kd_jit_\w{36}/.exec(shown.text)?.[0] ?? "none";
  expect(await h.service.services.tokenChecks.introspect(token)).toMatchObject({ active: true });
  await h.settle();
  const again = await h.pressInDialog("dev", showing);
  expect(wordsOn(again.card)).toContain("already shown");
  const active = h.cardsOf("dev").find((card) => titles(card).includes("Replace credential"));
  const replaced = await h.pressInDialog("dev", button(active, "Replace credential"));
  expect(replaced.text).toMatch(/kd_jit_\w{36}/);
  expect(await h.service.services.tokenChecks.introspect(token)).toEqual({ active: false });
  await h.settle();
  expect(JSON.stringify(h.fake.calls)).not.toContain("kd_jit_");
  expect(h.log.join("\n")).not.toContain("kd_jit_");
});

test("Deny replaces the card by a form for the reason, which the requester reads", async () => {
  const h = harness();
  await introduce(h);
  await h.say("dev", "request read:prod:orders-db for 2h because INC-42");
  const opened = await h.press("ann", button(h.cardsOf("ann").at(-1), "Deny"));
  expect(titles(opened.card)).toEqual(["Deny", "Back"]);
  const empty = await h.press("ann", button(opened.card, "Deny"), { "field:one:words": "  " });
  expect(wordsOn(empty.card)).toContain("Say why: the requester reads it.");
  expect(titles(empty.card)).toEqual(["Deny", "Back"]);
  const back = await h.press("ann", button(empty.card, "Back"));
  expect(titles(back.card)).toContain("Approve");
  const denied = await h.press("ann", button(empty.card, "Deny"), { "field:one:words": "use the replica" });
  expect(wordsOn(denied.card)).toContain("You denied it");
  await h.settle();
  expect(h.cardsOf("dev").map(wordsOn).join("\n")).toContain("use the replica");
  expect(titles(h.cardsOf("bob").at(-1))).toEqual([]);
});

test("Approve for less shortens the access; a longer time is an error in the open form", async () => {
  const h = harness();
  await introduce(h);
  await h.say("dev", "request read:prod:orders-db for 2h because INC-42");
  const opened = await h.press("ann", button(h.cardsOf("ann").at(-1), "Approve for less…"));
  const longer = await h.press("ann", button(opened.card, "Approve"), {
    "field:one:duration": "3h",
    "field:one:words": "not longer",
  });
  expect(JSON.stringify(longer.card)).toContain('"value":"not longer"');
  const shorter = await h.press("ann", button(longer.card, "Approve"), { "field:one:duration": "30m" });
  expect(wordsOn(shorter.card)).toContain("30 minutes (asked: 2 hours)");
});

test("two approvals, by a card and by the API: all cards are current", async () => {
  const h = harness();
  await introduce(h);
  await h.call(h.activity("lead", { type: "conversationUpdate", ...inChannel }));
  await h.say("dev", "request read:pair:x for 1h because INC-7");
  const posted = () => h.cardsIn(channelId)[0];
  expect(titles(posted())).toEqual(["Approve", "Deny", "Approve for less…", "Details"]);
  const id = requestIdOn(wordsOn(posted()));
  await h.press("ann", button(posted(), "Approve"), {}, inChannel);
  await h.settle();
  expect(wordsOn(posted())).toContain("1 of 2");
  await h.service.services.requestCommands.approve(await h.service.caller("bob"), id, {});
  await h.settle();
  expect(wordsOn(posted())).toContain("2 of 2");
  expect(titles(posted())).toEqual(["Revoke", "Details"]);
  expect(wordsOn(posted())).toContain("bob");
});

test("only people who have voted see the channel's card without Approve", async () => {
  const h = harness();
  await introduce(h);
  await h.say("dev", "request read:pair:x for 1h because INC-7");
  const posted = () => h.cardsIn(channelId)[0];
  expect(posted()?.["refresh"]).toBeUndefined();
  const pressed = await h.press("ann", button(posted(), "Approve"), {}, inChannel);
  expect(titles(pressed.card)).toEqual(["Deny", "Details"]);
  await h.settle();
  const { userIds, action } = assertPresent(posted(), "the card")["refresh"] as Refresh;
  expect(userIds).toEqual(["29:ann"]);
  expect(titles((await h.press("ann", action, {}, inChannel)).card)).toEqual(["Deny", "Details"]);
  expect(titles(posted())).toContain("Approve");
});

test("a note has no refresh, which would replace it by the request's card before it is read", async () => {
  const h = harness();
  await introduce(h);
  await h.say("dev", "request read:pair:x for 1h because INC-7");
  h.service.clock.pass(10 * minuteMs);
  await h.service.services.grants.tick(requestIdOn(wordsOn(h.cardsOf("ann").at(-1))));
  await h.settle();
  const [reminder] = h.cardsOf("ann").filter((card) => wordsOn(card).includes("Still waiting for you"));
  expect(reminder).toBeDefined();
  expect(reminder?.["refresh"]).toBeUndefined();
});

describe("a card in a channel gives nobody the right to decide", () => {
  test.each([
    ["the requester", "dev"],
    ["a person who is not asked", "lead"],
  ])("%s decides nothing by a press", async (_, name) => {
    const h = harness();
    await introduce(h);
    await h.say("dev", "request read:pair:x for 1h because INC-7");
    const posted = h.cardsIn(channelId)[0];
    const pressed = await h.press(name, button(posted, "Approve"), {}, inChannel);
    expect(`${pressed.sentence}${wordsOn(pressed.card)}`).not.toContain("You approved");
    await h.settle();
    expect(wordsOn(h.cardsIn(channelId)[0])).toContain("0 of 2");
    expect((await h.service.audit()).filter((row) => row.action === "decision.refused")).toHaveLength(1);
  });
});

test("a late press gets a fresh card, and a repeated one reads that it already counts", async () => {
  const h = harness();
  await introduce(h);
  await h.say("dev", "request read:prod:orders-db for 2h because INC-42");
  const stale = h.cardsOf("bob").at(-1);
  await h.press("ann", button(stale, "Approve"));
  const late = await h.press("bob", button(stale, "Approve"));
  expect(late.status).toBe(200);
  expect(wordsOn(late.card)).toContain("ann");
  expect(titles(late.card)).toEqual(["Revoke", "Details"]);
  const again = await h.press("ann", button(stale, "Approve"));
  expect(wordsOn(again.card)).toMatch(/[Aa]lready/);
  const deniedLate = await h.press("bob", button(stale, "Deny"));
  expect(wordsOn(deniedLate.card)).toContain("Nothing was changed");
});

test("a repeated invoke gets the same answer and decides once", async () => {
  const h = harness();
  await introduce(h);
  await h.say("dev", "request read:pair:x for 1h because INC-7");
  const approve = button(h.cardsOf("ann").at(-1), "Approve");
  const action = { type: "Action.Execute", verb: approve.verb, data: approve.data };
  const activity = h.activity("ann", { type: "invoke", name: "adaptiveCard/action", value: { action } });
  const [first, second] = await Promise.all([h.call(activity), h.call(activity)]);
  expect(second.text).toBe(first.text);
  expect((await h.call(activity)).text).toBe(first.text);
  const given = (await h.service.audit()).filter((row) => row.action === "approval.given");
  expect(given).toHaveLength(1);
  expect((await h.service.audit()).filter((row) => row.action === "decision.refused")).toEqual([]);
});

test("a repeated message makes one request", async () => {
  const h = harness();
  await introduce(h);
  const text = "request read:prod:orders-db for 2h because INC-42";
  const activity = h.activity("dev", { type: "message", text });
  await Promise.all([h.call(activity), h.call(activity)]);
  await h.settle();
  expect((await h.service.audit()).filter((row) => row.action.startsWith("request."))).toHaveLength(1);
});

test("extend, ending soon and revoke", async () => {
  const h = harness();
  await introduce(h);
  await h.say("dev", "request read:prod:orders-db for 2h because INC-42");
  await h.press("ann", button(h.cardsOf("ann").at(-1), "Approve"));
  await h.settle();
  const ready = h.cardsOf("dev").find((card) => titles(card).includes("Show credential"));
  await h.pressInDialog("dev", button(ready, "Show credential"));
  await h.settle();
  h.service.clock.pass(2 * hourMs - 9 * minuteMs);
  await h.settle();
  const soon = h.cardsOf("dev").at(-1);
  expect(titles(soon)).toEqual(["Extend", "I'm done"]);
  const form = await h.press("dev", button(soon, "Extend"));
  const typed = { "field:one:duration": "1h", "field:one:words": "not finished" };
  const extended = await h.press("dev", button(form.card, "Extend"), typed);
  expect(wordsOn(extended.card)).toContain("Asked");
  await h.settle();
  const revokable = h.cardsOf("bob").findLast((card) => titles(card).includes("Revoke"));
  const revoking = await h.press("bob", button(revokable, "Revoke"));
  const over = await h.press("bob", button(revoking.card, "Revoke"), { "field:one:words": "incident over" });
  expect(wordsOn(over.card)).toContain("You revoked it");
  await h.settle();
  expect(h.cardsOf("dev").map(wordsOn).join("\n")).toContain("incident over");
});

test("break-glass access is taken without approval, shown in a dialog and reviewed on a card", async () => {
  const h = harness();
  await introduce(h);
  await h.say("dev", "break-glass");
  const form = h.cardsOf("dev").at(-1);
  expect(wordsOn(form)).toContain("For an emergency only");
  const typed = {
    "field:one:scopes": "read:prod:orders-db",
    "field:one:duration": "30m",
    "field:one:reason": "fire",
  };
  await h.press("dev", button(form, "Break glass"), typed);
  await h.settle();
  const ready = h.cardsOf("dev").findLast((card) => titles(card).includes("Show credential"));
  expect((await h.pressInDialog("dev", button(ready, "Show credential"))).text).toContain("kd_jit_");
  await h.settle();
  const review = h.cardsOf("sec").findLast((card) => titles(card).includes("Justified"));
  const opened = await h.press("sec", button(review, "Justified"));
  const judged = await h.press("sec", button(opened.card, "Justified"), {
    "field:one:words": "there was a fire",
  });
  expect(wordsOn(judged.card)).toContain("is recorded");
});
