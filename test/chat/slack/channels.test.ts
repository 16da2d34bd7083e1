import { afterEach, beforeEach, expect, test } from "vitest";
import { present } from "../../../src/core/values/assert.ts";
import { parseSelector } from "../../../src/core/values/identity.ts";
import { approvalPolicy, stageBy } from "../../core/support/policies.ts";
import { slackId } from "./support/slack-harness-factory.ts";
import { openSlackHouse, type SlackHouse } from "./support/slack-harness.ts";

const policies = [
  approvalPolicy("dba", {
    stages: [stageBy("group:dba", { required: 2 })],
    channels: ["slack:C0DBA"],
  }),
];
const admin = present(parseSelector("identity:id_cto"), "selector");

let house: SlackHouse;
beforeEach(async () => {
  house = await openSlackHouse(policies, { chatRoles: { admin: [admin], auditor: [] } });
});
afterEach(async () => {
  await house.close();
});

const dm = (name: string) => house.fake.messagesIn(house.fake.dmOf(slackId(name)));
const saidTo = (name: string) => JSON.stringify(dm(name).map(({ blocks }) => blocks));
const ask = async () => {
  const asked = await house.office.ask("dev");
  await house.settle();
  return "request" in asked ? asked.request.id : "";
};
const approve = async (name: string, id: string) => {
  await house.office.services.desk.approve(await house.office.caller(name), id, {});
  await house.settle();
};
const failures = async () =>
  (await house.office.audit()).filter((one) => one.action === "notification.failed").map(({ data }) => data);

test.each([
  ["channel_not_found", "does not exist"],
  ["not_in_channel", "the app is not in it"],
  ["is_archived", "is archived"],
])(
  "an approval channel that answers %s is told to requester and administrators once, and is on record once",
  async (code, words) => {
    house.fake.unpostable.set("C0DBA", code);
    const id = await ask();
    expect(saidTo("dev")).toContain(words);
    expect(saidTo("cto")).toContain(words);
    expect(saidTo("ann")).not.toContain(words);
    await approve("ann", id);
    await approve("bob", id);
    expect(await failures()).toEqual([{ surface: "slack", what: "card", code }]);
    for (const name of ["dev", "cto"]) {
      const told = house.fake.calls.filter(
        ({ method, body }) =>
          method === "chat.postMessage" &&
          [slackId(name), house.fake.dmOf(slackId(name))].includes(String(body["channel"])) &&
          String(body["text"]).includes("channel could not be told"),
      );
      expect(told).toHaveLength(1);
    }
  },
);

test("a channel shared with another organisation is told nothing, and requester and administrators hear why", async () => {
  house.fake.shared.add("C0DBA");
  const id = await ask();
  expect(house.fake.messagesIn("C0DBA")).toEqual([]);
  for (const name of ["dev", "cto"]) expect(saidTo(name)).toContain("shared with another organisation");
  await approve("ann", id);
  expect(await failures()).toEqual([{ surface: "slack", what: "card", code: "channel_is_shared" }]);
});

test("a channel that is archived while the request waits is told once as well, whatever follows", async () => {
  const id = await ask();
  expect(house.fake.messagesIn("C0DBA")).toHaveLength(1);
  house.fake.unpostable.set("C0DBA", "is_archived");
  await approve("ann", id);
  expect(saidTo("dev")).toContain("is archived");
  await approve("bob", id);
  expect((await failures()).map(({ code }) => code)).toEqual(["is_archived"]);
});
