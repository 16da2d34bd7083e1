import { afterEach, beforeEach, expect, test } from "vitest";
import { assertPresent } from "../../../src/core/values/assert.ts";
import { parseSelector } from "../../../src/core/values/identity.ts";
import { approvalPolicy, stageBy } from "../../core/support/policies.ts";
import { slackId } from "./support/slack-users.ts";
import { openSlackHarness, type SlackHarness } from "./support/slack-harness.ts";

const policies = [
  approvalPolicy("dba", {
    stages: [stageBy("group:dba", { required: 2 })],
    channels: ["slack:C0DBA"],
  }),
];
const admin = assertPresent(parseSelector("identity:id_cto"), "selector");

let harness: SlackHarness;
beforeEach(async () => {
  harness = await openSlackHarness(policies, { chatRoles: { admin: [admin], auditor: [] } });
});
afterEach(async () => {
  await harness.close();
});

const dm = (name: string) => harness.fake.messagesIn(harness.fake.dmOf(slackId(name)));
const cardTextsOf = (name: string) => JSON.stringify(dm(name).map(({ blocks }) => blocks));
const ask = async () => {
  const asked = await harness.service.ask("dev");
  await harness.settle();
  return "request" in asked ? asked.request.id : "";
};
const approve = async (name: string, id: string) => {
  await harness.service.services.requestCommands.approve(await harness.service.caller(name), id, {});
  await harness.settle();
};
const failures = async () =>
  (await harness.service.audit())
    .filter((one) => one.action === "notification.failed")
    .map(({ data }) => data);

test.each([
  ["channel_not_found", "does not exist"],
  ["not_in_channel", "the app is not in it"],
  ["is_archived", "is archived"],
])(
  "an approval channel that answers %s is reported to requester and administrators once, and recorded once",
  async (code, words) => {
    harness.fake.unpostable.set("C0DBA", code);
    const id = await ask();
    expect(cardTextsOf("dev")).toContain(words);
    expect(cardTextsOf("cto")).toContain(words);
    expect(cardTextsOf("ann")).not.toContain(words);
    await approve("ann", id);
    await approve("bob", id);
    expect(await failures()).toEqual([{ surface: "slack", what: "card", code }]);
    for (const name of ["dev", "cto"]) {
      const reports = harness.fake.calls.filter(
        ({ method, body }) =>
          method === "chat.postMessage" &&
          [slackId(name), harness.fake.dmOf(slackId(name))].includes(String(body["channel"])) &&
          String(body["text"]).includes("channel could not be notified"),
      );
      expect(reports).toHaveLength(1);
    }
  },
);

test("a channel shared with another organisation gets nothing, and requester and administrators read why", async () => {
  harness.fake.shared.add("C0DBA");
  const id = await ask();
  expect(harness.fake.messagesIn("C0DBA")).toEqual([]);
  for (const name of ["dev", "cto"]) expect(cardTextsOf(name)).toContain("shared with another organisation");
  await approve("ann", id);
  expect(await failures()).toEqual([{ surface: "slack", what: "card", code: "channel_is_shared" }]);
});

test("a channel archived while the request waits is reported once, whatever follows", async () => {
  const id = await ask();
  expect(harness.fake.messagesIn("C0DBA")).toHaveLength(1);
  harness.fake.unpostable.set("C0DBA", "is_archived");
  await approve("ann", id);
  expect(cardTextsOf("dev")).toContain("is archived");
  await approve("bob", id);
  expect((await failures()).map(({ code }) => code)).toEqual(["is_archived"]);
});
