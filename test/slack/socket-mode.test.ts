import { expect, test } from "vitest";
import { approvalPolicy, stageBy } from "../core/support/policies.ts";
import { startFakeSocket } from "../fakes/slack/fake-socket.ts";
import { openSlackHouse, slackId, waitFor } from "./support/slack-house.ts";

test("in socket mode the same is asked and answered over a connection that we opened", async () => {
  const socket = await startFakeSocket();
  const house = await openSlackHouse(
    [approvalPolicy("dba", { stages: [stageBy("group:dba")] })],
    {},
    { connection: { mode: "socket", appToken: "xapp-fake-token-of-the-test" } },
    (fake) => {
      fake.socketUrl = socket.url;
    },
  );
  try {
    const answer = await socket.send("slash_commands", {
      command: "/jit",
      text: "request read:prod:orders-db for 2h because INC-42",
      team_id: house.fake.teamId,
      user_id: slackId("dev"),
      trigger_id: "1.2.abc",
      response_url: house.fake.responseUrl(),
    });
    expect(JSON.stringify(answer)).toMatch(/jit_[a-z0-9]+/);
    await house.settle();
    const [card] = house.fake.messagesIn(house.fake.dmOf(slackId("ann")));
    await socket.send("interactive", {
      type: "block_actions",
      team: { id: house.fake.teamId },
      user: { id: slackId("ann"), team_id: house.fake.teamId },
      trigger_id: "1.2.abc",
      container: { type: "message", message_ts: card?.ts, channel_id: card?.channel },
      response_url: house.fake.responseUrl(),
      actions: [{ type: "button", action_id: "card:approve", value: valueIn(card?.blocks) }],
    });
    await waitFor(() => house.fake.calls.some((one) => one.method === "chat.update"));
    expect((await house.office.audit()).map((one) => one.action)).toContain("request.approved");
  } finally {
    await house.close();
    await socket.close();
  }
});

function valueIn(blocks: unknown): string {
  return /"value":"(jit_[^"]+)"/.exec(JSON.stringify(blocks))?.[1] ?? "";
}
