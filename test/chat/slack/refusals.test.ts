import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { once } from "node:events";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { assertPresent } from "../../../src/core/values/assert.ts";
import { minuteMs, secondMs } from "../../../src/core/values/time.ts";
import type { Selector } from "../../../src/core/values/identity.ts";
import { approvalPolicy, stageBy } from "../../core/support/policies.ts";
import { buttonsOf, slackId } from "./support/slack-users.ts";
import { idOf, openSlackHarness, waitFor, type SlackHarness } from "./support/slack-harness.ts";

const policies = [approvalPolicy("dba", { stages: [stageBy("group:dba")] })];
const admins: readonly Selector[] = [{ kind: "identity", id: idOf("cto") }];
const rules = { chatRoles: { admin: admins, auditor: [] } };

let harness: SlackHarness;
beforeEach(async () => {
  harness = await openSlackHarness(policies, rules);
});
afterEach(async () => {
  await harness.close();
});

/** A worker that holds the write lock for 400 ms. */
const lockHolder = `
  const { parentPort, workerData } = require("node:worker_threads");
  const Database = require("node:module").createRequire(workerData.root + "/package.json")("better-sqlite3");
  const other = new Database(workerData.file);
  other.exec("BEGIN IMMEDIATE");
  parentPort.postMessage("held");
  setTimeout(() => { other.exec("COMMIT"); other.close(); }, 400);
`;

const dm = (name: string) => harness.fake.messagesIn(harness.fake.dmOf(slackId(name)));
const ask = async () => {
  await harness.command("dev", "request read:prod:orders-db for 2h because INC-42");
  await harness.settle();
  return assertPresent(dm("ann")[0], "ann's card");
};
const decisions = async () =>
  (await harness.service.audit()).filter((one) =>
    /^(approval|request\.approved|request\.denied)/.test(one.action),
  );
const refusals = async () => {
  await harness.service.services.refusals.flush(harness.service.clock.now(), true);
  return (await harness.service.audit()).filter((one) => one.action === "decision.refused");
};
const command = (more: Readonly<Record<string, string>> = {}) => ({
  command: "/jit",
  text: "request read:prod:orders-db for 2h because INC-42",
  team_id: harness.fake.teamId,
  user_id: slackId("dev"),
  trigger_id: harness.fake.triggerId(),
  response_url: harness.fake.responseUrl(),
  ...more,
});

describe("a call without a valid, recent signature does nothing, and is recorded", () => {
  const stale = () => Date.now() - 6 * minuteMs;
  const future = () => Date.now() + 6 * minuteMs;
  test.for([
    ["a wrong secret", () => ({ secret: "another" })],
    ["a signature of six minutes ago", () => ({ atMs: stale() })],
    ["a signature of the future", () => ({ atMs: future() })],
  ] as const)("%s → 401", async ([, how]) => {
    const ack = await harness.send(command(), how());
    expect(ack.status).toBe(401);
    expect(await harness.service.audit()).not.toContainEqual(
      expect.objectContaining({ action: "request.submitted" }),
    );
    await expect.poll(async () => (await refusals()).length).toBe(1);
  });

  test("a replayed call → 401", async () => {
    const atMs = Date.now();
    const call = command();
    expect((await harness.send(call, { atMs })).status).toBe(200);
    expect((await harness.send(call, { atMs })).status).toBe(401);
    await harness.settle();
    const audit = await harness.service.audit();
    expect(audit.filter((one) => one.action === "request.submitted")).toHaveLength(1);
  });

  test("another spelling of the path is answered as well", async () => {
    const answer = await harness.raw("/slack/%65vents", { "x-slack-request-timestamp": "1" });
    expect(answer.status).toBe(401);
  });

  test("the same command and press twice: one request, one decision", async () => {
    const card = await ask();
    await harness.send(command());
    await harness.press("ann", card, "approve");
    await harness.press("ann", card, "approve");
    await harness.settle();
    const audit = await harness.service.audit();
    expect(audit.filter((one) => one.action === "request.submitted")).toHaveLength(1);
    expect(audit.filter((one) => one.action === "request.approved")).toHaveLength(1);
  });
});

describe("people who are not full members of our workspace decide nothing", () => {
  test.for([
    ["a guest", { is_restricted: true }],
    ["a single-channel guest", { is_ultra_restricted: true }],
    ["a bot", { is_bot: true }],
    ["a deactivated account", { deleted: true }],
    ["somebody Slack calls a stranger", { is_stranger: true }],
    ["a member of another workspace", { team_id: "T0OTHER" }],
  ] as const)("%s", async ([, more]) => {
    const card = await ask();
    harness.fake.members.set(slackId("ann"), more);
    expect((await harness.press("ann", card, "approve")).status).toBe(200);
    await waitFor(() => harness.fake.responses.length > 0);
    expect(await decisions()).toEqual([]);
    expect((await refusals()).map((one) => one.data["verb"])).toContain("approve");
  });

  test("a person from another workspace in a shared channel, although their id is one of ours", async () => {
    const card = await ask();
    const ack = await harness.send({
      type: "block_actions",
      team: { id: harness.fake.teamId },
      user: { id: slackId("ann"), team_id: "T0OTHER" },
      trigger_id: harness.fake.triggerId(),
      container: { type: "message", message_ts: card.ts, channel_id: card.channel },
      response_url: harness.fake.responseUrl(),
      actions: [{ type: "button", action_id: "card:approve", value: "jit_x y" }],
    });
    expect(ack.status).toBe(200);
    await waitFor(() => harness.fake.responses.length > 0);
    expect(await decisions()).toEqual([]);
    expect(JSON.parse((await refusals())[0]?.body ?? "{}")).toMatchObject({
      actor: { id: `slack:T0OTHER:${slackId("ann")}`, via: "slack" },
    });
  });

  test("when Slack cannot identify the sender, the press is refused", async () => {
    const card = await ask();
    harness.fake.trouble = (method) => (method === "users.info" ? "hang" : undefined);
    await harness.press("ann", card, "approve");
    await waitFor(() => harness.fake.responses.length > 0, 6_000);
    expect(harness.lastEphemeral()).toMatch(/could not say who you are/);
    expect(await decisions()).toEqual([]);
  });

  test("a deactivated identity can do nothing, whatever their card still shows", async () => {
    const card = await ask();
    const admin = await harness.service.caller("cto", "admin");
    await harness.service.services.directory.change(admin, "id_ann", { active: false });
    await harness.press("ann", card, "approve");
    await waitFor(() => harness.fake.responses.length > 0);
    expect(await decisions()).toEqual([]);
  });

  test("nobody approves their own request, on any card", async () => {
    const card = await ask();
    await harness.press("dev", card, "approve");
    await waitFor(() => harness.fake.responses.length > 0);
    expect(await decisions()).toEqual([]);
  });
});

describe("a person without a linked account", () => {
  test("gets the ids an administrator needs, asks with one word, and is linked by one press", async () => {
    const { body } = await harness.command("sam", "list");
    expect(JSON.stringify(body)).toContain(slackId("sam"));
    await harness.command("sam", "link");
    await harness.settle();
    const card = assertPresent(dm("cto")[0], "the administrator's card");
    expect(buttonsOf(card)).toEqual(["Link", "Link to somebody else…"]);
    const [button] = assertPresent(card.blocks.at(-1), "buttons")["elements"] as readonly {
      readonly value: string;
    }[];
    const value = assertPresent(button, "the button").value;
    await harness.send({
      type: "block_actions",
      team: { id: harness.fake.teamId },
      user: { id: slackId("cto"), team_id: harness.fake.teamId },
      trigger_id: harness.fake.triggerId(),
      container: { type: "message", message_ts: card.ts, channel_id: card.channel },
      response_url: harness.fake.responseUrl(),
      actions: [{ type: "button", action_id: "account:link", value }],
    });
    await waitFor(() => harness.fake.responses.length > 0 || harness.fake.views.size > 0);
    const linked = await harness.service.store.identity(idOf("sam"));
    expect(linked?.value.links.slack).toEqual({ teamId: harness.fake.teamId, userId: slackId("sam") });
    expect((await harness.service.audit()).map((one) => one.action)).toContain("identity.linked");
    expect(JSON.stringify((await harness.command("sam", "list")).body)).not.toContain("not linked");
  });

  test("cannot link themselves: a press by anybody but an administrator changes nothing", async () => {
    await harness.command("sam", "link");
    await harness.settle();
    const value = JSON.stringify({
      account: { surface: "slack", team: harness.fake.teamId, user: slackId("sam") },
      identityId: "id_cto",
    });
    for (const name of ["sam", "dev"]) {
      await harness.send({
        type: "block_actions",
        team: { id: harness.fake.teamId },
        user: { id: slackId(name), team_id: harness.fake.teamId },
        trigger_id: harness.fake.triggerId(),
        container: { type: "message", message_ts: "1.1", channel_id: "D0X" },
        response_url: harness.fake.responseUrl(),
        actions: [{ type: "button", action_id: "account:link", value }],
      });
    }
    await waitFor(() => harness.fake.responses.length > 1);
    expect((await harness.service.store.identity(idOf("sam")))?.value.links.slack).toBeUndefined();
  });
});

describe("failures of Slack", () => {
  const pass = async (ms: number) => {
    for (let passed = 0; passed < ms; passed += 5 * secondMs) {
      harness.service.clock.pass(5 * secondMs);
      await harness.settle();
    }
  };

  test.for([
    ["answers 500", { status: 500 }],
    ["answers 429", { status: 429, retryAfter: 20 }],
    ["answers internal_error", { error: "internal_error" }],
  ] as const)("%s: the message is sent later, once", async ([, trouble]) => {
    harness.fake.trouble = (method) => (method.startsWith("chat.") ? trouble : undefined);
    await harness.command("dev", "request read:prod:orders-db for 2h because INC-42");
    await harness.settle();
    expect(dm("ann")).toEqual([]);
    harness.fake.trouble = () => undefined;
    await pass(minuteMs);
    expect(dm("ann")).toHaveLength(1);
  });

  test("a channel shared with another organisation gets no message", async () => {
    harness.fake.shared.add("C0SHARED");
    await harness.service.configure(
      [approvalPolicy("dba", { stages: [stageBy("group:dba")], channels: ["slack:C0SHARED"] })],
      rules,
      undefined,
    );
    await harness.service.ask("dev", { scopes: ["read:prod:x"] });
    await harness.settle();
    expect(harness.fake.messagesIn("C0SHARED")).toEqual([]);
    expect(
      (await harness.service.audit()).filter((one) => one.action === "notification.failed"),
    ).toHaveLength(1);
  });

  test("an invalid token: the start continues, the log says what to do, the API works", async () => {
    const other = await openSlackHarness(policies, rules, { botToken: "xoxb-wrong" });
    expect(other.log.join("")).toContain("install the app again");
    expect((await other.service.ask("dev")) satisfies object).toHaveProperty("request");
    await other.close();
  });

  test("while another process holds the write lock every press is acknowledged and none is lost", async () => {
    const card = await ask();
    // In its own thread, because SQLite blocks the whole thread while it waits for a lock.
    const holder = new Worker(lockHolder, {
      eval: true,
      workerData: { file: join(harness.service.folder, "data", "jit.db"), root: process.cwd() },
    });
    const released = once(holder, "exit");
    await once(holder, "message");
    const acks = await Promise.all(["ann", "bob", "cid"].map((name) => harness.press(name, card, "approve")));
    await released;
    expect(acks.map((one) => one.status)).toEqual([200, 200, 200]);
    await waitFor(() => harness.fake.responses.length >= 2);
    expect((await decisions()).filter((one) => one.action === "request.approved")).toHaveLength(1);
  });
});
