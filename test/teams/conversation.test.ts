import { describe, expect, test } from "vitest";
import { tenantId } from "../fakes/teams/bot-framework.ts";
import { housePolicies } from "../chat/support/house-rules.ts";
import { channelId, introduced, teamsForEach } from "./support/teams-house.ts";
import { button, titles, wordsOn } from "./support/teams-users.ts";

const house = teamsForEach(housePolicies);
const inChannel = {
  conversation: { id: `${channelId};messageid=1`, conversationType: "channel", tenantId },
};

test("the message extension opens the form as a dialog, tries it out, keeps what was typed and sends it", async () => {
  const h = house();
  await introduced(h);
  const extension = (name: string, data?: object) =>
    h.call(
      h.activity("dev", {
        type: "invoke",
        name: `composeExtension/${name}`,
        value: { commandId: "request", data },
      }),
    );
  const opened = await extension("fetchTask");
  expect(titles(opened.card)).toEqual(["Request", "Check first"]);
  const typed = {
    "field:many:catalog": "Orders database (read)",
    "field:one:duration": "2h",
    "field:one:reason": "INC-42",
  };
  const tried = await extension("submitAction", { ...button(opened.card, "Check first").data, ...typed });
  expect(wordsOn(tried.card)).toContain("Needs 1 of 3");
  expect(JSON.stringify(tried.card)).toContain('"value":"INC-42"');
  const wrong = await extension("submitAction", {
    ...button(tried.card, "Request").data,
    ...typed,
    "field:one:duration": "soon",
  });
  expect(JSON.stringify(wrong.card)).toContain('"value":"soon"');
  expect(JSON.stringify(wrong.card)).toContain("Orders database (read)");
  const sent = await extension("submitAction", { ...button(wrong.card, "Request").data, ...typed });
  expect(wordsOn(sent.card)).toContain("Asked: ");
  await h.settle();
  expect(wordsOn(h.cardsOf("ann").at(-1))).toContain("INC-42");
});

test("in a chat the form is in the message, and what came of it takes its place for good", async () => {
  const h = house();
  await introduced(h);
  await h.say("dev", "request");
  const form = h.cardsOf("dev").at(-1);
  const typed = {
    "field:one:scopes": "read:prod:orders-db",
    "field:one:duration": "2h",
    "field:one:reason": "INC-42",
  };
  const [messageId] = [...h.fake.messages.keys()].slice(-1);
  const sent = await h.press("dev", button(form, "Request"), typed, { replyToId: messageId });
  expect(wordsOn(sent.card)).toContain("Asked: ");
  await h.settle();
  expect(h.cardsOf("dev").some((card) => titles(card).includes("Check first"))).toBe(false);
});

test("a card that somebody asked to see is kept true, and a form for a request goes with the request", async () => {
  const h = house();
  await introduced(h);
  await h.say("dev", "request read:prod:orders-db for 2h because INC-42");
  const id = /jit_\w+/.exec(wordsOn(h.cardsOf("ann").at(-1)))?.[0] ?? "no id";
  await h.say("bob", `status ${id}`);
  expect(titles(h.cardsOf("bob").at(-1))).toContain("Approve");
  await h.say("cid", `deny ${id}`);
  expect(titles(h.cardsOf("cid").at(-1))).toEqual(["Deny", "Back"]);
  await h.office.services.desk.deny(await h.office.caller("ann"), id, "use the replica");
  await h.settle();
  for (const name of ["ann", "bob", "cid", "dev"]) expect(h.cardsOf(name).flatMap(titles)).toEqual([]);
});

test("an answer that nobody keeps true has no buttons of a request", async () => {
  const h = house();
  await introduced(h);
  await h.say("dev", "request read:prod:orders-db for 2h because INC-42");
  const id = /jit_\w+/.exec(wordsOn(h.cardsOf("ann").at(-1)))?.[0] ?? "no id";
  await h.say("dev", "list");
  expect(titles(h.cardsOf("dev").at(-1))).toEqual([]);
  await h.say("lead", `approve ${id}`);
  expect(titles(h.cardsOf("lead").at(-1))).toEqual([]);
  await h.say("dev", `approve ${id}`);
  expect(wordsOn(h.cardsOf("dev").at(-1))).toContain("own request");
  expect(titles(h.cardsOf("dev").at(-1))).toEqual([]);
});

test("the catalog is searched while somebody types", async () => {
  const h = house();
  const value = { dataset: "catalog", queryText: "orders", queryOptions: { skip: 0, top: 15 } };
  const found = await h.call(h.activity("dev", { type: "invoke", name: "application/search", value }));
  expect(JSON.parse(found.text).value.results).toEqual([
    expect.objectContaining({ value: "Orders database (read)" }),
  ]);
});

describe("in groups and channels", () => {
  const mentioned = (text: string) => ({ text: `<at>JIT</at>&nbsp;${text}`, ...inChannel });

  test("the mention is no part of the command, and the answer goes into the chat of the one who wrote", async () => {
    const h = house();
    await introduced(h);
    await h.say("dev", "", mentioned("help request"));
    expect(wordsOn(h.cardsOf("dev").at(-1))).toContain("request");
    const said = h.fake.calls.filter((call) => call.verb === "post" && call.conversation.startsWith("19:"));
    expect(said.map(({ body }) => body.text)).toEqual(["I have answered you in our own chat."]);
  });

  test("whoever has no chat with us gets one, or is told how to", async () => {
    const h = house();
    h.fake.installed.add("aad-dev");
    await h.say("dev", "", mentioned("help"));
    expect(h.fake.calls.filter((call) => call.verb === "open")).toHaveLength(1);
    expect(h.cardsOf("dev")).toHaveLength(1);
    h.fake.trouble.push({
      of: (call) => call.verb === "open",
      status: 403,
      code: "BotNotInConversationRoster",
    });
    await h.say("lead", "", mentioned("help"));
    expect(h.fake.calls.at(-1)?.body.text).toContain("add this app for yourself");
  });
});

test("home shows what is to decide and what is had, with buttons that work", async () => {
  const h = house();
  await introduced(h);
  await h.say("dev", "request read:prod:orders-db for 2h because INC-42");
  await h.say("ann", "home");
  const home = h.cardsOf("ann").at(-1);
  expect(titles(home)).toEqual(expect.arrayContaining(["Approve", "Request access"]));
  expect(home?.["refresh"]).toMatchObject({ userIds: ["29:ann"], action: { verb: "menu:home" } });
  expect(wordsOn((await h.press("ann", button(home, "Approve"))).card)).toContain("You approved it");
});

describe("while something is broken", () => {
  test("a command whose answer is throttled is answered a little later", async () => {
    const h = house();
    const isAnswer = { of: ({ verb }: { verb: string }) => verb === "post", status: 429, retryAfter: "1" };
    h.fake.trouble.push(isAnswer);
    const saying = h.say("dev", "help");
    await expect.poll(() => h.fake.calls.some(({ verb }) => verb === "post")).toBe(true);
    h.fake.trouble.length = 0;
    await saying;
    expect(h.cardsOf("dev")).toHaveLength(1);
  });

  test("a store that cannot be used is a sentence to whoever pressed, with nothing done", async () => {
    const h = house();
    await introduced(h);
    await h.say("dev", "request read:prod:orders-db for 2h because INC-42");
    const approve = button(h.cardsOf("ann").at(-1), "Approve");
    await h.office.store.close();
    const answer = await h.press("ann", approve);
    expect(answer.status).toBe(200);
    expect(`${answer.sentence}${wordsOn(answer.card)}`).toMatch(/nothing was changed|went wrong/);
  });

  test("an invoke we do not know is answered with a body, for Teams tries again without one", async () => {
    const h = house();
    const answer = await h.call(h.activity("dev", { type: "invoke", name: "signin/verifyState", value: {} }));
    expect(answer).toMatchObject({ status: 200, text: "{}" });
  });

  test.each([
    ["no data", undefined],
    ["a verb that is none", { verb: "card:launch", request: "jit_x" }],
    ["no request", { verb: "card:approve" }],
    ["a form of nothing", { verb: "form:submit", ref: "{}" }],
    ["an account that is none", { verb: "link", account: "[]" }],
    ["a name every object has", { verb: "menu:constructor" }],
  ])("a press with %s does nothing", async (_, data) => {
    const h = house();
    await introduced(h, "ann");
    const value = { action: { type: "Action.Execute", verb: "x", data } };
    const answer = await h.call(h.activity("ann", { type: "invoke", name: "adaptiveCard/action", value }));
    expect(answer).toMatchObject({ status: 200, sentence: expect.stringContaining("could not be read") });
  });
});
