import { describe, expect, test } from "vitest";
import { parseId } from "../../../src/core/values/ids.ts";
import { StoreUnavailable } from "../../../src/service/ports/store.ts";
import { tenantId } from "../../fakes/teams/bot-framework.ts";
import { chatPolicies, chatRules } from "../conversation/support/policy-fixtures.ts";
import { channelId, introduce, teamsForEach } from "./support/teams-harness.ts";
import { button, titles, wordsOn } from "./support/teams-users.ts";

const harness = teamsForEach(chatPolicies);
const inChannel = {
  conversation: { id: `${channelId};messageid=1`, conversationType: "channel", tenantId },
};

test("the message extension opens the form as a dialog, previews it, keeps typed values and submits it", async () => {
  const h = harness();
  await introduce(h);
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

test("in a chat the form is a message, which its result replaces permanently", async () => {
  const h = harness();
  await introduce(h);
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

test("a card shown on request is kept up to date, and so is a form about a request", async () => {
  const h = harness();
  await introduce(h);
  await h.say("dev", "request read:prod:orders-db for 2h because INC-42");
  const id = /jit_\w+/.exec(wordsOn(h.cardsOf("ann").at(-1)))?.[0] ?? "no id";
  await h.say("bob", `status ${id}`);
  expect(titles(h.cardsOf("bob").at(-1))).toContain("Approve");
  await h.say("cid", `deny ${id}`);
  expect(titles(h.cardsOf("cid").at(-1))).toEqual(["Deny", "Back"]);
  await h.service.services.requestCommands.deny(await h.service.caller("ann"), id, "use the replica");
  await h.settle();
  for (const name of ["ann", "bob", "cid", "dev"]) expect(h.cardsOf(name).flatMap(titles)).toEqual([]);
});

test("an answer that is not kept up to date has no buttons of a request", async () => {
  const h = harness();
  await introduce(h);
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

test("the catalog is searched while one types", async () => {
  const h = harness();
  const value = { dataset: "catalog", queryText: "orders", queryOptions: { skip: 0, top: 15 } };
  const found = await h.call(h.activity("dev", { type: "invoke", name: "application/search", value }));
  expect(JSON.parse(found.text).value.results).toEqual([
    expect.objectContaining({ value: "Orders database (read)" }),
  ]);
});

describe("in groups and channels", () => {
  const mentioned = (text: string) => ({ text: `<at>JIT</at>&nbsp;${text}`, ...inChannel });

  test("the mention is not part of the command, and the answer goes to the sender's personal chat", async () => {
    const h = harness();
    await introduce(h);
    await h.say("dev", "", mentioned("help request"));
    expect(wordsOn(h.cardsOf("dev").at(-1))).toContain("request");
    const said = h.fake.calls.filter((call) => call.verb === "post" && call.conversation.startsWith("19:"));
    expect(said.map(({ body }) => body.text)).toEqual(["I have answered you in our own chat."]);
  });

  test("a sender without a personal chat gets one, or reads how to get one", async () => {
    const h = harness();
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

describe("home", () => {
  /** dev has a pending request, and ann has opened the home. Returns the id of its message. */
  const homeOfAnn = async (h: ReturnType<typeof harness>) => {
    await introduce(h);
    await h.say("dev", "request read:prod:orders-db for 2h because INC-42");
    await h.say("ann", "home");
    const home = h.cardsOf("ann").at(-1);
    const [replyToId = ""] = [...h.fake.messages.keys()].slice(-1);
    const id = /jit_\w+/.exec(wordsOn(home))?.[0] ?? "no id";
    const shown = () => h.fake.messages.get(replyToId)?.activity.attachments?.[0]?.content;
    return { id, home, replyToId, shown };
  };
  const decidedByBob = async (h: ReturnType<typeof harness>, id: string): Promise<void> => {
    await h.service.services.requestCommands.deny(await h.service.caller("bob"), id, "use the replica");
    await h.settle();
  };

  test("lists what is to decide, and offers only to open each request", async () => {
    const h = harness();
    const { home } = await homeOfAnn(h);
    expect(wordsOn(home)).toContain("read:prod:orders-db");
    expect(titles(home)).toEqual(["Details", "Request access", "Break glass", "Help"]);
    expect(home?.["refresh"]).toMatchObject({ userIds: ["29:ann"], action: { verb: "menu:home" } });
    await h.say("dev", "home");
    expect(titles(h.cardsOf("dev").at(-1))).toEqual(["Details", "Request access", "Break glass", "Help"]);
  });

  test("an opened request replaces the home permanently, with working buttons, and is kept up to date", async () => {
    const h = harness();
    const { id, home, replyToId, shown } = await homeOfAnn(h);
    const opened = await h.press("ann", button(home, "Details"), {}, { replyToId });
    expect(titles(opened.card)).toEqual(["Approve", "Deny", "Approve for less…", "Details"]);
    await h.settle();
    expect(titles(shown())).toEqual(["Approve", "Deny", "Approve for less…", "Details"]);
    await decidedByBob(h, id);
    expect(titles(shown())).toEqual([]);
    expect(wordsOn(shown())).toContain("use the replica");
    const late = await h.press("ann", button(opened.card, "Approve"), {}, { replyToId });
    expect(wordsOn(late.card)).toContain("use the replica");
    expect(titles(late.card)).toEqual([]);
  });

  test("a request that has ended opens with its current status, and a second press changes nothing", async () => {
    const h = harness();
    const { id, home, replyToId, shown } = await homeOfAnn(h);
    await decidedByBob(h, id);
    for (let press = 0; press < 2; press++) {
      const opened = await h.press("ann", button(home, "Details"), {}, { replyToId });
      expect(titles(opened.card)).toEqual([]);
      await h.settle();
      expect(titles(shown())).toEqual([]);
      expect(wordsOn(shown())).toContain("use the replica");
    }
  });

  test("a request opened twice is recorded once", async () => {
    const h = harness();
    const { id, home, replyToId, shown } = await homeOfAnn(h);
    const press = () => h.press("ann", button(home, "Details"), {}, { replyToId });
    await Promise.all([press(), press()]);
    await h.settle();
    const requestId = parseId("request", id);
    const copies = requestId === undefined ? [] : await h.service.store.deliveries([requestId]);
    expect(copies.filter(({ ref }) => ref?.includes(`"${replyToId}"`))).toHaveLength(1);
    await decidedByBob(h, id);
    expect(titles(shown())).toEqual([]);
  });

  test("a former approver opens it without buttons", async () => {
    const h = harness();
    const { home, replyToId, shown } = await homeOfAnn(h);
    const people = (await h.service.store.fileIdentities()).map(({ value }) => {
      const { managedBy: _managedBy, listed: _listed, enabled: _enabled, ...person } = value;
      return person.name === "ann" ? { ...person, groups: [] } : person;
    });
    await h.service.configure(chatPolicies(), chatRules, people);
    const opened = await h.press("ann", button(home, "Details"), {}, { replyToId });
    expect(titles(opened.card)).toEqual([]);
    await h.settle();
    expect(titles(shown())).not.toContain("Approve");
  });

  test("if it cannot be recorded, it opens without buttons of the request", async () => {
    const h = harness();
    const { home, replyToId } = await homeOfAnn(h);
    h.service.store.commit = async () => Promise.reject(new StoreUnavailable("of the test"));
    const opened = await h.press("ann", button(home, "Details"), {}, { replyToId });
    expect(opened.status).toBe(200);
    expect(titles(opened.card)).toEqual([]);
  });
});

test("a card that could not be recorded loses its buttons", async () => {
  const h = harness();
  await introduce(h);
  await h.say("dev", "request read:prod:orders-db for 2h because INC-42");
  const id = /jit_\w+/.exec(wordsOn(h.cardsOf("ann").at(-1)))?.[0] ?? "no id";
  const { commit } = h.service.store;
  h.service.store.commit = async () => Promise.reject(new StoreUnavailable("of the test"));
  await h.say("bob", `status ${id}`);
  h.service.store.commit = commit;
  const bobs = h.cardsOf("bob");
  expect(wordsOn(bobs.at(-1))).toContain(id);
  expect(titles(bobs.at(-1))).toEqual([]);
});

describe("failures", () => {
  test("a throttled answer is sent a little later", async () => {
    const h = harness();
    const isAnswer = { of: ({ verb }: { verb: string }) => verb === "post", status: 429, retryAfter: "1" };
    h.fake.trouble.push(isAnswer);
    const saying = h.say("dev", "help");
    await expect.poll(() => h.fake.calls.some(({ verb }) => verb === "post")).toBe(true);
    h.fake.trouble.length = 0;
    await saying;
    expect(h.cardsOf("dev")).toHaveLength(1);
  });

  test("an unavailable store is a refusal for the person who pressed, and nothing is done", async () => {
    const h = harness();
    await introduce(h);
    await h.say("dev", "request read:prod:orders-db for 2h because INC-42");
    const approve = button(h.cardsOf("ann").at(-1), "Approve");
    await h.service.store.close();
    const answer = await h.press("ann", approve);
    expect(answer.status).toBe(200);
    expect(`${answer.sentence}${wordsOn(answer.card)}`).toMatch(/nothing was changed|went wrong/);
  });

  test("an unknown invoke is answered with a body, because Teams would retry without one", async () => {
    const h = harness();
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
    const h = harness();
    await introduce(h, "ann");
    const value = { action: { type: "Action.Execute", verb: "x", data } };
    const answer = await h.call(h.activity("ann", { type: "invoke", name: "adaptiveCard/action", value }));
    expect(answer).toMatchObject({ status: 200, sentence: expect.stringContaining("could not be read") });
  });
});
