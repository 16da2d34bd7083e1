import { afterEach, beforeEach, expect, test } from "vitest";
import { assertPresent } from "../../../src/core/values/assert.ts";
import { approvalPolicy, stageBy } from "../../core/support/policies.ts";
import { startFakeSocket, type FakeSocket } from "../../fakes/slack/fake-socket.ts";
import { slackId } from "./support/slack-users.ts";
import { openSlackHarness, waitFor, type SlackHarness } from "./support/slack-harness.ts";

let socket: FakeSocket;
let harness: SlackHarness;
beforeEach(async () => {
  socket = await startFakeSocket();
  harness = await openSlackHarness(
    [approvalPolicy("dba", { stages: [stageBy("group:dba")] })],
    {},
    { connection: { mode: "socket", appToken: "xapp-fake-token-of-the-test" } },
    (fake) => {
      fake.socketUrl = socket.url;
    },
  );
});
afterEach(async () => {
  await harness.close();
  await socket.close();
});

const ask = () =>
  socket.send("slash_commands", {
    command: "/jit",
    text: "request read:prod:orders-db for 2h because INC-42",
    team_id: harness.fake.teamId,
    user_id: slackId("dev"),
    trigger_id: harness.fake.triggerId(),
    response_url: harness.fake.responseUrl(),
  });
const approve = async () => {
  const card = assertPresent(harness.fake.messagesIn(harness.fake.dmOf(slackId("ann")))[0], "ann's card");
  await socket.send("interactive", {
    type: "block_actions",
    team: { id: harness.fake.teamId },
    user: { id: slackId("ann"), team_id: harness.fake.teamId },
    trigger_id: harness.fake.triggerId(),
    container: { type: "message", message_ts: card.ts, channel_id: card.channel },
    response_url: harness.fake.responseUrl(),
    actions: [{ type: "button", action_id: "card:approve", value: valueIn(card.blocks) }],
  });
};
const connections = () => harness.log.filter((line) => line.includes("slack: connected")).length;

test("in socket mode commands and presses arrive over a connection that we opened", async () => {
  expect(JSON.stringify(await ask())).toMatch(/jit_[a-z0-9]+/);
  await harness.settle();
  await approve();
  await waitFor(() => harness.fake.calls.some((one) => one.method === "chat.update"));
  expect((await harness.service.audit()).map((one) => one.action)).toContain("request.approved");
});

test("we reconnect when Slack asks for it", async () => {
  socket.refresh();
  await waitFor(() => connections() === 2);
  expect(JSON.stringify(await ask())).toMatch(/jit_[a-z0-9]+/);
});

test("a lost connection while Slack answers 500: the process survives and reconnects", async () => {
  harness.fake.trouble = (method) => (method === "apps.connections.open" ? { status: 500 } : undefined);
  socket.drop();
  await waitFor(() => harness.log.some((line) => line.includes("slack: not connected")));
  harness.fake.trouble = () => undefined;
  await waitFor(() => connections() === 2);
  expect(JSON.stringify(await ask())).toMatch(/jit_[a-z0-9]+/);
});

test("an invalid app token is logged with what to do, and the start continues", async () => {
  const other = await openSlackHarness(
    [approvalPolicy("dba", { stages: [stageBy("group:dba")] })],
    {},
    { connection: { mode: "socket", appToken: "xapp-of-somebody-else" } },
    (fake) => {
      fake.socketUrl = socket.url;
    },
  );
  expect(other.log.join("")).toContain("SLACK_APP_TOKEN is not valid");
  expect(await other.service.ask("dev")).toHaveProperty("request");
  await other.close();
});

function valueIn(blocks: unknown): string {
  return /"value":"(jit_[^"]+)"/.exec(JSON.stringify(blocks))?.[1] ?? "";
}
