import { WebClient } from "@slack/web-api";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { assertPresent } from "../../../src/core/values/assert.ts";
import { minuteMs, secondMs } from "../../../src/core/values/time.ts";
import { createSlackMessenger } from "../../../src/chat/slack/outbound/messenger.ts";
import { approvalPolicy, stageBy } from "../../core/support/policies.ts";
import { slackId } from "./support/slack-users.ts";
import { openSlackHarness, waitFor, type SlackHarness } from "./support/slack-harness.ts";

const policies = [approvalPolicy("dba", { stages: [stageBy("group:dba")], channels: ["slack:C0DBA"] })];

let harness: SlackHarness;
beforeEach(async () => {
  harness = await openSlackHarness(policies, {}, { callMs: 500 });
});
afterEach(async () => {
  await harness.close();
});

const dm = (name: string) => harness.fake.messagesIn(harness.fake.dmOf(slackId(name)));
const cards = (name: string) => dm(name).filter((one) => one.thread === undefined);
const ask = async () => {
  await harness.command("dev", "request read:prod:orders-db for 2h because INC-42");
  await harness.settle();
};
const actions = async () => (await harness.service.audit()).map((one) => one.action);
const pass = async (ms: number) => {
  for (let passed = 0; passed < ms; passed += 5 * secondMs) {
    harness.service.clock.pass(5 * secondMs);
    await harness.settle();
  }
};

describe("the HTTP endpoint", () => {
  test("Slack's URL verification is answered, if it is signed", async () => {
    const asked = { type: "url_verification", token: "x", challenge: "3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWM" };
    const good = await harness.send(asked, { type: "application/json" });
    expect(good).toMatchObject({ status: 200, body: { challenge: asked.challenge } });
    expect((await harness.send(asked, { type: "application/json", secret: "another" })).status).toBe(401);
  });

  test("a body of more than a megabyte is not read", async () => {
    const ack = await harness.send({ command: "/jit", text: "x".repeat(1_100_000), team_id: "T0TEAM" });
    expect(ack.status).toBe(413);
  });

  test.for([
    ["a kind that we do not know", "application/x-www-form-urlencoded"],
    ["a content type that Slack does not use", "text/plain"],
  ] as const)("%s: answered without an error, and nothing is done", async ([, type]) => {
    const ack = await harness.send({ payload: "{", type: "unheard_of" }, { type });
    expect(ack.status).toBeLessThan(500);
    expect(await actions()).not.toContain("request.submitted");
  });

  test("a press with unknown content is answered with help, and nothing is done", async () => {
    await ask();
    const before = await actions();
    for (const [id, value] of [
      ["card:approve_all", "jit_x y"],
      ["menu:drop", ""],
      ["account:link", "{not json"],
      ["account:link", JSON.stringify({ account: { surface: "slack", team: 7 } })],
      ["card:approve", ""],
    ] as const) {
      const ack = await harness.send({
        type: "block_actions",
        team: { id: harness.fake.teamId },
        user: { id: slackId("ann"), team_id: harness.fake.teamId },
        trigger_id: harness.fake.triggerId(),
        container: { type: "message", message_ts: "1.1", channel_id: "D0ANN" },
        response_url: harness.fake.responseUrl(),
        actions: [{ type: "button", action_id: id, value }],
      });
      expect(ack.status).toBe(200);
    }
    await waitFor(() => harness.fake.responses.length === 5);
    expect((await actions()).filter((one) => one !== "decision.refused")).toEqual(
      before.filter((one) => one !== "decision.refused"),
    );
  });
});

describe("Slack is unavailable at our start", () => {
  test("nobody can be identified, so nothing is decided; it works once Slack is back", async () => {
    const late = await openSlackHarness(policies, {}, { callMs: 500 }, (fake) => {
      fake.trouble = () => ({ status: 503 });
    });
    try {
      expect(late.log.join("")).toContain("slack: not connected");
      const first = await late.command("dev", "request read:prod:orders-db for 2h because INC-42");
      expect(first.status).toBe(200);
      expect(JSON.stringify(first.body)).toContain("could not say who you are");
      late.fake.trouble = () => undefined;
      await waitFor(() => late.log.join("").includes("slack: connected"));
      const second = await late.command("dev", "request read:prod:orders-db for 2h because INC-42");
      expect(JSON.stringify(second.body)).toMatch(/jit_[a-z0-9]+/);
    } finally {
      await late.close();
    }
  });
});

test("a token of another workspace is logged, and its members can do nothing", async () => {
  const other = await openSlackHarness(policies, {}, { teamId: "T0ELSE" });
  try {
    expect(other.log.join("")).toContain("another workspace than SLACK_TEAM_ID names");
    await other.command("dev", "request read:prod:orders-db for 2h because INC-42");
    expect((await other.service.audit()).map((one) => one.action)).not.toContain("request.submitted");
  } finally {
    await other.close();
  }
});

describe("messages while Slack fails", () => {
  test.for([["hang"], ["cut"]] as const)("%s: sent later, once", async ([trouble]) => {
    harness.fake.trouble = (method) => (method.startsWith("chat.") ? trouble : undefined);
    await ask();
    expect(cards("ann")).toEqual([]);
    harness.fake.trouble = () => undefined;
    await pass(2 * minuteMs);
    expect(cards("ann")).toHaveLength(1);
    expect(cards("dev")).toHaveLength(1);
  });

  test("an unreachable approver delays nobody else, and the requester reads it", async () => {
    harness.fake.trouble = (method, body) =>
      method === "chat.postMessage" && body["channel"] === slackId("ann")
        ? { error: "user_not_found" }
        : undefined;
    await ask();
    expect(cards("bob")).toHaveLength(1);
    expect(cards("cid")).toHaveLength(1);
    await pass(minuteMs);
    expect(JSON.stringify(cards("dev"))).toContain("2 of 3 approvers reached");
  });

  test("a channel that becomes shared gets no more messages", async () => {
    await ask();
    // The answer about a channel is cached for ten minutes.
    let at = 0;
    const client = new WebClient(harness.fake.botToken, { slackApiUrl: `${harness.fake.url}/api/` });
    const messenger = createSlackMessenger(client, () => "T0TEAM", { now: () => at });
    const { cards: service } = harness.service.services;
    const [id = ""] = /jit_[a-z0-9]+/.exec(JSON.stringify(cards("ann"))) ?? [];
    const card = assertPresent(await service.cardFor(id, "channel", null), "card");
    const { signal } = new AbortController();
    await messenger.post("C0DBA", card, signal);
    harness.fake.shared.add("C0DBA");
    at += 10 * minuteMs;
    const before = harness.fake.messagesIn("C0DBA").length;
    await expect(messenger.post("C0DBA", card, signal)).rejects.toMatchObject({
      code: "channel_is_shared",
      retryable: false,
    });
    expect(harness.fake.messagesIn("C0DBA")).toHaveLength(before);
  });
});

test("a stop waits for answers in progress", async () => {
  await ask();
  const [card] = cards("ann");
  const held = Promise.withResolvers<undefined>();
  harness.fake.trouble = (method) => (method === "users.info" ? held.promise : undefined);
  const pressed = harness.press("ann", assertPresent(card, "card"), "deny");
  await waitFor(() => harness.fake.calls.at(-1)?.method === "users.info");
  const stopped = harness.slack.stop();
  setTimeout(() => held.resolve(undefined), 50);
  await stopped;
  await pressed;
  expect(harness.modals()).toContain("Deny");
});
