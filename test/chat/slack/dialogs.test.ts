import { WebClient } from "@slack/web-api";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Reply } from "../../../src/chat/conversation/reply.ts";
import { present } from "../../../src/core/values/assert.ts";
import { isRefusal } from "../../../src/core/values/refusals.ts";
import { createSpeaker } from "../../../src/chat/slack/inbound/responder.ts";
import { approvalPolicy, stageBy } from "../../core/support/policies.ts";
import type { Trouble } from "../../fakes/slack/fake-slack.ts";
import { buttonsOf, slackId } from "./support/slack-harness-factory.ts";
import { openSlackHouse, waitFor, type SlackHouse } from "./support/slack-harness.ts";

let house: SlackHouse;
beforeEach(async () => {
  house = await openSlackHouse(
    [approvalPolicy("dba", { stages: [stageBy("group:dba")] })],
    {},
    { callMs: 500 },
  );
});
afterEach(async () => {
  await house.close();
});

const dm = (name: string) => house.fake.messagesIn(house.fake.dmOf(slackId(name)));
const troubled = (wanted: string, trouble: Trouble | undefined) => {
  house.fake.trouble = (method) => (method === wanted ? trouble : undefined);
};
/** The requester's card of an approved request. */
const approved = async () => {
  await house.command("dev", "request read:prod:orders-db for 2h because INC-42");
  await house.settle();
  await house.press("ann", present(dm("ann")[0], "ann's card"), "approve");
  await house.settle();
  return present(dm("dev")[0], "dev's card");
};
const issued = async () =>
  (await house.office.audit()).filter((one) => one.action === "credential.issued").length;
const tokenShown = () => /kd_jit_[0-9A-Za-z]{36}/.exec(JSON.stringify([...house.fake.views.values()]))?.[0];

describe("Show credential", () => {
  test.for([
    ["answers 429", { status: 429, retryAfter: 30 }],
    ["answers 500", { status: 500 }],
    ["says nothing", "hang"],
    ["breaks the connection", "cut"],
    ["says that it took too long", { error: "expired_trigger_id" }],
  ] as const)(
    "Slack %s when the window is to be opened: no secret is made, and the next press shows it",
    async ([, trouble]) => {
      const card = await approved();
      troubled("views.open", trouble);
      await house.press("dev", card, "show_credential");
      await waitFor(() => house.fake.responses.some((one) => JSON.stringify(one).includes("Press again")));
      expect(await issued()).toBe(0);
      troubled("views.open", undefined);
      await house.press("dev", card, "show_credential");
      await waitFor(() => tokenShown() !== undefined);
      expect(await issued()).toBe(1);
    },
  );

  test("the window could not be filled at first: it is tried again, with the same secret", async () => {
    const card = await approved();
    let failures = 0;
    house.fake.trouble = (method) =>
      method === "views.update" && ++failures === 1 ? { status: 503 } : undefined;
    await house.press("dev", card, "show_credential");
    await waitFor(() => tokenShown() !== undefined);
    expect(await issued()).toBe(1);
    const token = present(tokenShown(), "token");
    expect((await house.office.services.checking.introspect(token)).active).toBe(true);
  });

  test("the window was closed meanwhile: the person is told how to get another, which ends the first", async () => {
    const card = await approved();
    troubled("views.update", { error: "not_found" });
    await house.press("dev", card, "show_credential");
    await waitFor(() => house.lastWhisper().includes("Replace credential"));
    expect(house.lastWhisper()).not.toContain("kd_jit_");
    troubled("views.update", undefined);
    await house.settle();
    expect(buttonsOf(card)).toContain("Replace credential");
    await house.press("dev", card, "replace_credential");
    await waitFor(() => tokenShown() !== undefined);
    expect((await house.office.services.checking.introspect(present(tokenShown(), "token"))).active).toBe(
      true,
    );
  });

  test("pressed by somebody else on a card that reached them: no window shows anything of it", async () => {
    const card = await approved();
    await house.press("ann", card, "show_credential");
    await waitFor(() => house.windows().includes("Not possible"));
    expect(await issued()).toBe(0);
    expect(tokenShown()).toBeUndefined();
  });

  test("slow targets: the window says so and is filled once they are ready", async () => {
    const client = new WebClient(house.fake.botToken, { slackApiUrl: `${house.fake.url}/api/` });
    const caller = await house.office.caller("dev");
    const card = await approved();
    const shown = await house.office.services.cards.cardOf(caller, idIn(card.blocks));
    if (isRefusal(shown)) throw new Error(shown.detail);
    const { request } = shown;
    const credential = {
      id: "cred_1",
      token: `kd_jit_${"A".repeat(36)}`,
      expiresAt: request.requestedAt,
      targets: [],
    };
    const answers: Reply[] = [
      { kind: "preparing", request, lines: [] },
      { kind: "preparing", request, lines: [] },
      { kind: "credential", credential, request, lines: [] },
    ];
    const meanwhile: string[] = [];
    const seat = {
      caller,
      triggerId: house.fake.triggerId(),
      viewId: null,
      message: null,
      whisper: async () => undefined,
    };
    await createSpeaker(client, house.office.services.cards, 5).showSecret(seat, async () => {
      meanwhile.push(JSON.stringify(house.modal()["title"]));
      return present(answers.shift(), "an answer");
    });
    expect(meanwhile).toHaveLength(3);
    expect(new Set(meanwhile)).toEqual(new Set([expect.stringContaining("Preparing…")]));
    expect(tokenShown()).toBe(credential.token);
  });
});

test("a form that Slack does not open: the person is told, and nothing was done", async () => {
  await house.command("dev", "request read:prod:orders-db for 2h because INC-42");
  await house.settle();
  troubled("views.open", { error: "expired_trigger_id" });
  await house.press("ann", present(dm("ann")[0], "card"), "deny");
  await waitFor(() => house.fake.responses.length > 0);
  expect(house.lastWhisper()).toContain("Press again");
});

test("a card that changes while it is being written is written again: no copy is left behind", async () => {
  await house.office.configure(
    [approvalPolicy("dba", { stages: [stageBy("group:dba", { required: 2 })] })],
    {},
    house.people,
  );
  await house.command("dev", "request read:prod:orders-db for 2h because INC-42");
  await house.settle();
  const card = present(dm("ann")[0], "ann's card");
  let isHeld = false;
  house.fake.trouble = async (method, body) => {
    if (method !== "chat.update" || body["channel"] !== card.channel || isHeld) return undefined;
    // What is written here says "1 of 2"; before it arrives, bob completes it and every copy is rewritten.
    isHeld = true;
    await house.press("bob", present(dm("bob")[0], "bob's card"), "approve");
    await house.settle();
    return undefined;
  };
  await house.press("ann", card, "approve");
  await waitFor(() => house.fake.responses.length > 1);
  await expect.poll(() => buttonsOf(card)).toEqual(["Revoke", "Details"]);
});

test("a pressed note says how it came out and has no button left; the card above stays a card", async () => {
  const card = await approved();
  const note = present(
    dm("dev").find((one) => one.thread === card.ts && buttonsOf(one).includes("Show credential")),
    "a note",
  );
  await house.press("dev", note, "show_credential");
  await waitFor(() => buttonsOf(note).length === 0);
  expect(JSON.stringify(note.blocks)).toMatch(/Active: your access.*Active until/);
  expect(tokenShown()).toBeDefined();
  await house.settle();
  expect(buttonsOf(card)).toEqual(["Extend", "I'm done", "Replace credential"]);
});

function idIn(blocks: unknown): string {
  return present(/jit_[a-z0-9]+/.exec(JSON.stringify(blocks))?.[0], "a request id");
}

test("a form that does not fit is there again with what was typed, also when that took long to find out", async () => {
  await house.close();
  house = await openSlackHouse([approvalPolicy("dba", { stages: [stageBy("group:dba")] })]);
  await house.command("dev", "request");
  await waitFor(() => house.windows() !== "[]");
  const { id } = house.modal();
  const known = Promise.withResolvers<undefined>();
  house.fake.trouble = (method) => (method === "users.info" ? known.promise : undefined);
  const typed = { scopes: "read:prod:orders-db", duration: "soon", reason: "the disk of the orders is full" };
  const sent = house.submit("dev", id, typed);
  expect(JSON.stringify((await sent).body)).toContain("This takes a moment");
  known.resolve(undefined);
  await waitFor(() => house.windows().includes("This is no duration"));
  expect(house.windows()).toContain("the disk of the orders is full");
});

test("who somebody is cannot be said when they send a form: what they typed is shown again", async () => {
  await house.command("dev", "request");
  await waitFor(() => house.windows() !== "[]");
  const { id } = house.modal();
  troubled("users.info", { status: 500 });
  const typed = { scopes: "read:prod:orders-db", duration: "2h", reason: "the disk of the orders is full" };
  expect(JSON.stringify((await house.submit("dev", id, typed)).body)).toContain("the disk of the orders");
});
