import { WebClient } from "@slack/web-api";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Reply } from "../../../src/chat/conversation/reply.ts";
import { assertPresent } from "../../../src/core/values/assert.ts";
import { isRefusal } from "../../../src/core/values/refusals.ts";
import { createResponder } from "../../../src/chat/slack/inbound/responder.ts";
import { approvalPolicy, stageBy } from "../../core/support/policies.ts";
import type { Trouble } from "../../fakes/slack/fake-slack.ts";
import { buttonsOf, slackId } from "./support/slack-users.ts";
import { openSlackHarness, waitFor, type SlackHarness } from "./support/slack-harness.ts";

let harness: SlackHarness;
beforeEach(async () => {
  harness = await openSlackHarness(
    [approvalPolicy("dba", { stages: [stageBy("group:dba")] })],
    {},
    { callMs: 500 },
  );
});
afterEach(async () => {
  await harness.close();
});

const dm = (name: string) => harness.fake.messagesIn(harness.fake.dmOf(slackId(name)));
const troubled = (wanted: string, trouble: Trouble | undefined) => {
  harness.fake.trouble = (method) => (method === wanted ? trouble : undefined);
};
/** The requester's card of an approved request. */
const approved = async () => {
  await harness.command("dev", "request read:prod:orders-db for 2h because INC-42");
  await harness.settle();
  await harness.press("ann", assertPresent(dm("ann")[0], "ann's card"), "approve");
  await harness.settle();
  return assertPresent(dm("dev")[0], "dev's card");
};
const issued = async () =>
  (await harness.service.audit()).filter((one) => one.action === "credential.issued").length;
const tokenShown = () => /kd_jit_[0-9A-Za-z]{36}/.exec(JSON.stringify([...harness.fake.views.values()]))?.[0];

describe("Show credential", () => {
  test.for([
    ["answers 429", { status: 429, retryAfter: 30 }],
    ["answers 500", { status: 500 }],
    ["says nothing", "hang"],
    ["breaks the connection", "cut"],
    ["says that it took too long", { error: "expired_trigger_id" }],
  ] as const)(
    "Slack %s when the modal is opened: no secret is created, and the next press shows it",
    async ([, trouble]) => {
      const card = await approved();
      troubled("views.open", trouble);
      await harness.press("dev", card, "show_credential");
      await waitFor(() => harness.fake.responses.some((one) => JSON.stringify(one).includes("Press again")));
      expect(await issued()).toBe(0);
      troubled("views.open", undefined);
      await harness.press("dev", card, "show_credential");
      await waitFor(() => tokenShown() !== undefined);
      expect(await issued()).toBe(1);
    },
  );

  test("a failed update of the modal is retried with the same secret", async () => {
    const card = await approved();
    let failures = 0;
    harness.fake.trouble = (method) =>
      method === "views.update" && ++failures === 1 ? { status: 503 } : undefined;
    await harness.press("dev", card, "show_credential");
    await waitFor(() => tokenShown() !== undefined);
    expect(await issued()).toBe(1);
    const token = assertPresent(tokenShown(), "token");
    expect((await harness.service.services.tokenChecks.introspect(token)).active).toBe(true);
  });

  test("if the modal was closed, the person reads how to replace the credential", async () => {
    const card = await approved();
    troubled("views.update", { error: "not_found" });
    await harness.press("dev", card, "show_credential");
    await waitFor(() => harness.lastEphemeral().includes("Replace credential"));
    expect(harness.lastEphemeral()).not.toContain("kd_jit_");
    troubled("views.update", undefined);
    await harness.settle();
    expect(buttonsOf(card)).toContain("Replace credential");
    await harness.press("dev", card, "replace_credential");
    await waitFor(() => tokenShown() !== undefined);
    expect(
      (await harness.service.services.tokenChecks.introspect(assertPresent(tokenShown(), "token"))).active,
    ).toBe(true);
  });

  test("a press by somebody else shows no secret", async () => {
    const card = await approved();
    await harness.press("ann", card, "show_credential");
    await waitFor(() => harness.modals().includes("Not possible"));
    expect(await issued()).toBe(0);
    expect(tokenShown()).toBeUndefined();
  });

  test("slow targets: the modal says so and shows the secret once they are ready", async () => {
    const client = new WebClient(harness.fake.botToken, { slackApiUrl: `${harness.fake.url}/api/` });
    const caller = await harness.service.caller("dev");
    const card = await approved();
    const shown = await harness.service.services.cards.cardOf(caller, idIn(card.blocks));
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
    const titlesBefore: string[] = [];
    const replyTarget = {
      caller,
      triggerId: harness.fake.triggerId(),
      viewId: null,
      message: null,
      sendEphemeral: async () => undefined,
    };
    await createResponder(client, harness.service.services.cards, 5).showSecret(replyTarget, async () => {
      titlesBefore.push(JSON.stringify(harness.modal()["title"]));
      return assertPresent(answers.shift(), "an answer");
    });
    expect(titlesBefore).toHaveLength(3);
    expect(new Set(titlesBefore)).toEqual(new Set([expect.stringContaining("Preparing…")]));
    expect(tokenShown()).toBe(credential.token);
  });
});

test("if Slack does not open a form, the person is told and nothing is done", async () => {
  await harness.command("dev", "request read:prod:orders-db for 2h because INC-42");
  await harness.settle();
  troubled("views.open", { error: "expired_trigger_id" });
  await harness.press("ann", assertPresent(dm("ann")[0], "card"), "deny");
  await waitFor(() => harness.fake.responses.length > 0);
  expect(harness.lastEphemeral()).toContain("Press again");
});

test("a card that changes while it is rewritten is rewritten again", async () => {
  await harness.service.configure(
    [approvalPolicy("dba", { stages: [stageBy("group:dba", { required: 2 })] })],
    {},
    harness.people,
  );
  await harness.command("dev", "request read:prod:orders-db for 2h because INC-42");
  await harness.settle();
  const card = assertPresent(dm("ann")[0], "ann's card");
  let isHeld = false;
  harness.fake.trouble = async (method, body) => {
    if (method !== "chat.update" || body["channel"] !== card.channel || isHeld) return undefined;
    // This update says "1 of 2". Before it arrives, bob completes the quorum and every card is rewritten.
    isHeld = true;
    await harness.press("bob", assertPresent(dm("bob")[0], "bob's card"), "approve");
    await harness.settle();
    return undefined;
  };
  await harness.press("ann", card, "approve");
  await waitFor(() => harness.fake.responses.length > 1);
  await expect.poll(() => buttonsOf(card)).toEqual(["Revoke", "Details"]);
});

test("a pressed note shows the result without buttons; the card above stays a card", async () => {
  const card = await approved();
  const note = assertPresent(
    dm("dev").find((one) => one.thread === card.ts && buttonsOf(one).includes("Show credential")),
    "a note",
  );
  await harness.press("dev", note, "show_credential");
  await waitFor(() => buttonsOf(note).length === 0);
  expect(JSON.stringify(note.blocks)).toMatch(/Active: your access.*Active until/);
  expect(tokenShown()).toBeDefined();
  await harness.settle();
  expect(buttonsOf(card)).toEqual(["Extend", "I'm done", "Replace credential"]);
});

function idIn(blocks: unknown): string {
  return assertPresent(/jit_[a-z0-9]+/.exec(JSON.stringify(blocks))?.[0], "a request id");
}

test("a form with errors is shown again with the typed text, also after a slow check", async () => {
  await harness.close();
  harness = await openSlackHarness([approvalPolicy("dba", { stages: [stageBy("group:dba")] })]);
  await harness.command("dev", "request");
  await waitFor(() => harness.modals() !== "[]");
  const { id } = harness.modal();
  const known = Promise.withResolvers<undefined>();
  harness.fake.trouble = (method) => (method === "users.info" ? known.promise : undefined);
  const typed = { scopes: "read:prod:orders-db", duration: "soon", reason: "the disk of the orders is full" };
  const sent = harness.submit("dev", id, typed);
  expect(JSON.stringify((await sent).body)).toContain("This takes a moment");
  known.resolve(undefined);
  await waitFor(() => harness.modals().includes("This is no duration"));
  expect(harness.modals()).toContain("the disk of the orders is full");
});

test("if the sender of a form cannot be identified, their text is shown again", async () => {
  await harness.command("dev", "request");
  await waitFor(() => harness.modals() !== "[]");
  const { id } = harness.modal();
  troubled("users.info", { status: 500 });
  const typed = { scopes: "read:prod:orders-db", duration: "2h", reason: "the disk of the orders is full" };
  expect(JSON.stringify((await harness.submit("dev", id, typed)).body)).toContain("the disk of the orders");
});
