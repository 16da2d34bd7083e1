import { describe, expect, test } from "vitest";
import { hourMs, secondMs } from "../../../src/core/values/time.ts";
import { chatPolicies, chatRules } from "../conversation/support/policy-fixtures.ts";
import { appId, tenantId } from "../../fakes/teams/bot-framework.ts";
import { allStaff } from "../../service/support/service-harness.ts";
import { channelId, introduce, teamsForEach, type TeamsHarness } from "./support/teams-harness.ts";
import { button, titles, wordsOn } from "./support/teams-users.ts";

const harness = teamsForEach(chatPolicies);
const asking = "request read:prod:orders-db for 2h because INC-42";

const installed = { type: "installationUpdate", action: "add" };
const added = { type: "conversationUpdate", membersAdded: [{ id: `28:${appId}` }] };

const install = async (h: TeamsHarness, name: string, ...activities: readonly object[]): Promise<void> => {
  for (const one of activities) await h.call(h.activity(name, one));
  await h.settle();
};
const requestersCard = (h: TeamsHarness): string =>
  wordsOn(h.cardsOf("dev").find((one) => titles(one).includes("Cancel request")));
const waitingFor = (h: TeamsHarness, name: string) =>
  h.cardsOf(name).filter((card) => titles(card).includes("Approve"));

describe("a person with a linked account who has never written", () => {
  test("is reached by the id of their account, if they have the app", async () => {
    const h = harness();
    await introduce(h, "dev");
    h.fake.installed.add("aad-ann");
    await h.say("dev", asking);
    expect(waitingFor(h, "ann")).toHaveLength(1);
    expect(h.fake.calls.find(({ verb }) => verb === "open")?.body).toMatchObject({
      members: [{ id: "aad-ann" }],
      tenantId,
    });
    await h.press("ann", button(waitingFor(h, "ann")[0], "Approve"));
    await h.settle();
    expect(titles(h.cardsOf("ann")[0])).toEqual(["Revoke", "Details"]);
  });

  test("gets waiting messages once when they install the app, and the requester sees it", async () => {
    const h = harness();
    await introduce(h, "dev", "bob");
    await h.say("dev", asking);
    expect(requestersCard(h)).toContain("1 of 3 approvers reached");
    await install(h, "ann", installed, added);
    h.service.clock.pass(20 * secondMs);
    await h.settle();
    expect(waitingFor(h, "ann")).toHaveLength(1);
    expect(waitingFor(h, "bob")).toHaveLength(1);
    expect(requestersCard(h)).toContain("2 of 3 approvers reached");
    await install(h, "ann", installed);
    expect(waitingFor(h, "ann")).toHaveLength(1);
  });

  test("gets no message about a request that has ended by then", async () => {
    const h = harness();
    await introduce(h, "dev", "bob");
    await h.say("dev", asking);
    await h.press("bob", button(waitingFor(h, "bob")[0], "Approve"));
    await install(h, "ann", installed);
    expect(h.cardsOf("ann").map(titles)).toEqual([["Request access", "Home", "Help"]]);
  });

  test("gets waiting messages after removing the app and coming back", async () => {
    const h = harness();
    await introduce(h, "dev", "ann", "bob");
    h.fake.trouble.push({
      of: ({ verb, conversation }) => verb === "post" && conversation === "a:29:ann",
      status: 403,
    });
    await h.say("dev", asking);
    h.fake.trouble.length = 0;
    expect(waitingFor(h, "ann")).toEqual([]);
    await h.say("ann", "help");
    expect(waitingFor(h, "ann")).toHaveLength(1);
  });
});

describe("an installation is answered with what to do", () => {
  test.each([
    ["by installationUpdate", [installed]],
    ["by conversationUpdate", [added]],
    ["once when Teams sends both activities", [added, installed]],
  ])("%s", async (_, activities) => {
    const h = harness();
    await install(h, "ann", ...activities);
    expect(h.cardsOf("ann").map(titles)).toEqual([["Request access", "Home", "Help"]]);
    expect(wordsOn(h.cardsOf("ann")[0])).toContain("To ask, press Request access");
  });

  test("to a person without a linked account: the ids an administrator needs", async () => {
    const h = harness();
    await h.service.configure(chatPolicies(), chatRules, allStaff);
    await install(h, "ann", installed);
    expect(wordsOn(h.cardsOf("ann")[0])).toContain("aad-ann");
    expect(titles(h.cardsOf("ann")[0])).toEqual(["Ask to be linked"]);
  });

  test("in a team: how policies name the channel", async () => {
    const h = harness();
    const conversation = { id: channelId, conversationType: "channel", tenantId };
    await install(h, "ann", { ...installed, conversation });
    const posts = h.fake.calls.filter((call) => call.verb === "post" && call.conversation === channelId);
    expect(posts.map(({ body }) => body.text)).toEqual([expect.stringContaining(`teams:${channelId}`)]);
    expect(h.cardsOf("ann")).toEqual([]);
  });

  test("an upgrade of the app gets no answer", async () => {
    const h = harness();
    await install(h, "ann", { type: "installationUpdate", action: "add-upgrade" });
    expect(h.cardsOf("ann")).toEqual([]);
  });
});

test("an approver whose message is delayed does not count as unreachable", async () => {
  const h = harness();
  await introduce(h, "dev", "ann", "bob");
  // Messages to ann and bob are throttled; cid has not installed the app.
  h.fake.trouble.push({
    of: ({ verb, conversation }) => verb === "post" && /ann|bob/.test(conversation),
    status: 429,
    retryAfter: "30",
  });
  await h.say("dev", asking);
  const words = h.cardsOf("dev").map(wordsOn).join("\n");
  expect(words).toContain("Asking 2 people");
  expect(words).not.toContain("0 of 3");
  h.fake.trouble.length = 0;
  h.service.clock.pass(hourMs);
  await h.settle();
  expect(waitingFor(h, "bob")).toHaveLength(1);
});
