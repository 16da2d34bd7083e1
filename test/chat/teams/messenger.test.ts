import { describe, expect, test } from "vitest";
import { DeliveryFault } from "../../../src/service/messaging/messenger.ts";
import { chatPolicies } from "../conversation/support/policy-fixtures.ts";
import { tenantId, type ConnectorCall, type Trouble } from "../../fakes/teams/bot-framework.ts";
import { channelId, introduce, teamsForEach } from "./support/teams-harness.ts";
import { anyCard } from "./support/any-card.ts";
import { button, titles, wordsOn } from "./support/teams-users.ts";

const harness = teamsForEach(chatPolicies);
const asking = "request read:prod:orders-db for 2h because INC-42";
const toAnn = ({ verb, conversation }: ConnectorCall): boolean =>
  verb === "post" && conversation === "a:29:ann";

async function faultOf(work: Promise<unknown>): Promise<DeliveryFault> {
  try {
    await work;
  } catch (error) {
    if (error instanceof DeliveryFault) return error;
    throw error;
  }
  throw new Error("it worked");
}

describe("the fault of a message after a failed call", () => {
  test.each<[string, Omit<Trouble, "of">, object]>([
    [
      "403: not installed, permanent",
      { status: 403 },
      { code: "not_installed", retryable: false, isSurfaceDown: false },
    ],
    ["413: too large, permanent", { status: 413 }, { code: "too_large", retryable: false }],
    [
      "400: the code of Teams, permanent",
      { status: 400, code: "BadSyntax" },
      { code: "BadSyntax", retryable: false },
    ],
    [
      "429: retry after the given time",
      { status: 429, retryAfter: "7" },
      { code: "rate_limited", retryable: true, retryAfterMs: 7_000, isSurfaceDown: false },
    ],
    ["429 without a time: retry", { status: 429 }, { code: "rate_limited", retryable: true }],
    ["412: retry", { status: 412 }, { code: "conflict", retryable: true }],
    [
      "500: retry this message only",
      { status: 500 },
      { code: "server_error", retryable: true, isSurfaceDown: false },
    ],
    [
      "503: retry, Teams is down",
      { status: 503 },
      { code: "server_error", retryable: true, isSurfaceDown: true },
    ],
  ])("%s", async (_, trouble, expected) => {
    const h = harness();
    const { card, address } = await anyCard(h);
    h.fake.trouble.push({ of: toAnn, ...trouble });
    const before = h.fake.calls.length;
    const fault = await faultOf(h.teams.messenger.post(address, card, AbortSignal.timeout(5_000)));
    expect(fault).toMatchObject(expected);
    // One attempt, because the relay retries.
    expect(h.fake.calls.length - before).toBe(1);
  });

  test("no answer: the relay's time limit ends the call, and Teams counts as down", async () => {
    const h = harness();
    const { card, address } = await anyCard(h);
    h.fake.trouble.push({ of: toAnn, status: "hang" });
    const fault = await faultOf(h.teams.messenger.post(address, card, AbortSignal.timeout(200)));
    expect(fault).toMatchObject({ code: "timeout", retryable: true, isSurfaceDown: true });
  });

  test("a refused sign-in concerns all messages, and is retried", async () => {
    const h = harness();
    const { card, address } = await anyCard(h);
    h.service.clock.pass(3_600_000);
    h.fake.login.status = 400;
    const fault = await faultOf(h.teams.messenger.post(address, card, AbortSignal.timeout(5_000)));
    expect(fault).toMatchObject({ code: "login_refused", retryable: true, isSurfaceDown: true });
    h.fake.login.status = 200;
    h.service.clock.pass(2_000);
    await h.teams.messenger.post(address, card, AbortSignal.timeout(5_000));
  });

  test("a refused token is not used again", async () => {
    const h = harness();
    const { card, address } = await anyCard(h);
    await h.teams.stop();
    h.fake.isTokenRefused = true;
    const fault = await faultOf(h.teams.messenger.post(address, card, AbortSignal.timeout(5_000)));
    expect(fault).toMatchObject({ code: "unauthorized", retryable: true, isSurfaceDown: true });
    h.fake.isTokenRefused = false;
    const before = h.fake.logins.length;
    await h.teams.messenger.post(address, card, AbortSignal.timeout(5_000));
    await h.teams.messenger.post(address, card, AbortSignal.timeout(5_000));
    expect(h.fake.logins.length).toBe(before + 1);
    expect(h.fake.logins.at(-1)).toMatchObject({
      grant_type: "client_credentials",
      scope: "https://api.botframework.com/.default",
    });
  });

  test("the next attempt replaces a conversation that is gone", async () => {
    const h = harness();
    const { card, address } = await anyCard(h);
    h.fake.trouble.push({ of: toAnn, status: 404, code: "ConversationNotFound" });
    const fault = await faultOf(h.teams.messenger.post(address, card, AbortSignal.timeout(5_000)));
    expect(fault).toMatchObject({ code: "conversation_not_found", retryable: true });
    h.fake.trouble.length = 0;
    await h.teams.messenger.post(address, card, AbortSignal.timeout(5_000));
    expect(h.fake.calls.slice(-2).map(({ verb }) => verb)).toEqual(["open", "post"]);
  });

  test.each<[string, Omit<Trouble, "of">]>([
    ["404", { status: 404, code: "ActivityNotFoundInConversation" }],
    ["410", { status: 410 }],
    ["403", { status: 403, code: "BotNotInConversationRoster" }],
    ["400 for a message that was deleted", { status: 400, code: "MessageNotFound" }],
  ])("a message that can no longer be rewritten is reported as gone: %s", async (_, trouble) => {
    const h = harness();
    const { card, address } = await anyCard(h);
    const ref = await h.teams.messenger.post(address, card, AbortSignal.timeout(5_000));
    h.fake.trouble.push({ of: ({ verb }) => verb === "update", ...trouble });
    expect(await h.teams.messenger.rewrite(ref, card, AbortSignal.timeout(5_000), true)).toBe("gone");
  });
});

describe("the addresses of people", () => {
  test("a person without the app is not reached, and the requester reads it", async () => {
    const h = harness();
    await introduce(h, "dev", "ann");
    await h.say("dev", asking);
    h.service.clock.pass(60_000);
    await h.settle();
    const card = h.cardsOf("dev").find((one) => titles(one).includes("Cancel request"));
    expect(wordsOn(card)).toContain("1 of 3 approvers reached");
    expect(h.fake.calls.some(({ conversation }) => conversation === "a:29:bob")).toBe(false);
  });

  test("a person who has removed the app is not reached, and the requester reads it", async () => {
    const h = harness();
    await introduce(h, "dev", "ann", "bob", "cid");
    h.fake.trouble.push({ of: toAnn, status: 403 });
    await h.say("dev", asking);
    const card = h.cardsOf("dev").find((one) => titles(one).includes("Cancel request"));
    expect(wordsOn(card)).toContain("2 of 3 approvers reached");
    expect(wordsOn(card)).toContain("ann");
    expect(h.cardsOf("bob")).toHaveLength(1);
  });

  test("a throttled recipient delays nobody else and gets the message later", async () => {
    const h = harness();
    await introduce(h, "dev", "ann", "bob", "cid");
    h.fake.trouble.push({ of: toAnn, status: 429, retryAfter: "30" });
    await h.say("dev", asking);
    expect(h.cardsOf("bob")).toHaveLength(1);
    expect(h.cardsOf("ann")).toHaveLength(0);
    h.fake.trouble.length = 0;
    h.service.clock.pass(40_000);
    await h.settle();
    expect(h.cardsOf("ann")).toHaveLength(1);
  });

  test.each<[string, object]>([
    ["installationUpdate remove", { type: "installationUpdate", action: "remove" }],
    [
      "conversationUpdate without us",
      { type: "conversationUpdate", membersRemoved: [{ id: "28:11111111-2222-3333-4444-555555555555" }] },
    ],
  ])("%s forgets the person until they write again", async (_, removal) => {
    const h = harness();
    const ann = (await h.service.caller("ann")).identity;
    const known = async () => h.service.store.address("teams", `person:${tenantId}:aad-ann`);
    expect(await h.teams.messenger.addressOf(ann)).toBeUndefined();
    await h.call(h.activity("ann", { type: "installationUpdate", action: "add" }));
    expect(await known()).toMatchObject({ conversationId: "a:29:ann" });
    await h.call(h.activity("ann", removal));
    expect(await known()).toBeUndefined();
    await h.call(h.activity("ann", { type: "message", text: "hello" }));
    expect(await known()).toMatchObject({ conversationId: "a:29:ann" });
    expect(await h.teams.messenger.addressOf(ann)).toBe("person:aad-ann");
  });

  test("a conversation is created with a person seen only in a channel", async () => {
    const h = harness();
    const conversation = {
      id: `${channelId};messageid=1`,
      conversationType: "channel",
      tenantId,
    };
    h.fake.installed.add("aad-ann");
    await h.call(h.activity("ann", { type: "conversationUpdate", conversation }));
    await h.service.ask("dev");
    await h.settle();
    expect(h.cardsOf("ann")).toHaveLength(1);
    expect(h.fake.calls.find(({ verb }) => verb === "open")?.body).toMatchObject({
      isGroup: false,
      members: [{ id: "29:ann" }],
      channelData: { tenant: { id: tenantId } },
    });
  });

  test("a link to another tenant gives no address", async () => {
    const h = harness();
    await introduce(h, "ann");
    const ann = (await h.service.caller("ann")).identity;
    const links = { teams: { tenantId: "foreign", aadObjectId: "aad-ann" } };
    expect(await h.teams.messenger.addressOf({ ...ann, links })).toBeUndefined();
  });

  test.each([
    [`teams:${channelId}`, `channel:${channelId}`],
    ["teams:19:abc_def@thread.v2", "channel:19:abc_def@thread.v2"],
    ["slack:C0APPROVALS", undefined],
    ["teams:https://evil.example", undefined],
    ["teams:19:../../x@thread.tacv2", undefined],
  ])("the channel reference %s leads to %s", (reference, address) => {
    expect(harness().teams.messenger.channelAddress(reference)).toBe(address);
  });
});

test("a personal card has a refresh for its one reader", async () => {
  const h = harness();
  await introduce(h, "dev", "ann");
  await h.say("dev", asking);
  const card = h.cardsOf("ann").at(-1);
  expect(card?.["refresh"]).toMatchObject({ userIds: ["29:ann"], action: { verb: "card:refresh" } });
  const approve = button(card, "Approve");
  await h.press("ann", approve);
  const fresh = await h.press("ann", {
    ...approve,
    data: { verb: "card:refresh", request: approve.data["request"] },
  });
  expect(titles(fresh.card)).toEqual(["Revoke", "Details"]);
});

test("a note about a channel's card is posted in its thread", async () => {
  const h = harness();
  const { card } = await anyCard(h);
  const { messenger } = h.teams;
  const address = messenger.channelAddress(`teams:${channelId}`) ?? "";
  const ref = await messenger.post(address, card, AbortSignal.timeout(5_000));
  const note = { about: "request", notice: "approved", card } as const;
  await messenger.direct(address, note, ref, AbortSignal.timeout(5_000));
  await messenger.direct("person:aad-ann", note, null, AbortSignal.timeout(5_000));
  const [, below, alone] = h.fake.calls.filter(({ verb }) => verb === "post");
  expect(below?.conversation).toMatch(/^19:approvals@thread\.tacv2;messageid=message-\d+$/);
  expect(alone?.conversation).toBe("a:29:ann");
});
