import { afterEach, beforeEach, expect, test } from "vitest";
import { assertPresent } from "../../../src/core/values/assert.ts";
import { approvalPolicy, stageBy } from "../../core/support/policies.ts";
import { slackId } from "./support/slack-users.ts";
import { openSlackHarness, waitFor, type SlackHarness } from "./support/slack-harness.ts";

const policies = [approvalPolicy("dba", { stages: [stageBy("slack-usergroup:S0DBA group:nobody")] })];
const members = (...names: readonly string[]) => names.map(slackId);

let harness: SlackHarness;
const open = async (trustSlackUserGroups: boolean) => {
  harness = await openSlackHarness(policies, { trustSlackUserGroups }, { callMs: 500 }, (fake) => {
    fake.groups.set("S0DBA", [...members("ann", "bob"), "U0UNKNOWN"]);
  });
};
beforeEach(async () => open(true));
afterEach(async () => {
  await harness.close();
});

const dm = (name: string) => harness.fake.messagesIn(harness.fake.dmOf(slackId(name)));
const ask = async () => {
  await harness.command("dev", "request read:prod:orders-db for 2h because INC-42");
  await harness.settle();
};
const actions = async () => (await harness.service.audit()).map((one) => one.action);

test("members of a trusted group are asked and decide; members without an identity are ignored", async () => {
  await ask();
  expect(dm("ann")).toHaveLength(1);
  expect(dm("bob")).toHaveLength(1);
  expect(dm("cid")).toEqual([]);
  await harness.press("bob", assertPresent(dm("bob")[0], "card"), "approve");
  expect(await actions()).toContain("request.approved");
});

test("a person who left the group before the press does not decide", async () => {
  await ask();
  harness.fake.groups.set("S0DBA", members("ann"));
  await harness.press("bob", assertPresent(dm("bob")[0], "card"), "approve");
  await waitFor(() => harness.fake.responses.length > 0);
  expect(await actions()).not.toContain("approval.given");
});

test.for([["hang"], [{ status: 429, retryAfter: 30 }], [{ error: "internal_error" }]] as const)(
  "while Slack does not list the group (%j), a press that depends on it is refused and can be repeated",
  async ([trouble]) => {
    await ask();
    harness.fake.trouble = (method) => (method === "usergroups.users.list" ? trouble : undefined);
    const card = assertPresent(dm("ann")[0], "card");
    await harness.press("ann", card, "approve");
    await waitFor(() => harness.fake.responses.length > 0);
    expect(await actions()).not.toContain("approval.given");
    harness.fake.trouble = () => undefined;
    await harness.press("ann", card, "approve");
    expect(await actions()).toContain("request.approved");
  },
);

test("a group that the operator does not trust has no members, so the request is refused", async () => {
  await harness.close();
  await open(false);
  const { body } = await harness.command("dev", "request read:prod:orders-db for 2h because INC-42");
  expect(await actions()).not.toContain("request.submitted");
  expect(JSON.stringify(body)).toMatch(/nobody|approve/i);
});
