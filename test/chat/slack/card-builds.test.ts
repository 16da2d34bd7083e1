import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { assertPresent } from "../../../src/core/values/assert.ts";
import { approvalPolicy, stageBy } from "../../core/support/policies.ts";
import { slackId } from "./support/slack-users.ts";
import { openSlackHarness, waitFor, type SlackHarness } from "./support/slack-harness.ts";

const policies = [approvalPolicy("dba", { stages: [stageBy("group:dba")], channels: ["slack:C0DBA"] })];

let harness: SlackHarness;
beforeEach(async () => {
  harness = await openSlackHarness(policies);
  await harness.command("dev", "request read:prod:orders-db for 2h because INC-42");
  await harness.settle();
  harness.cardBuilds.take();
  harness.fake.calls.length = 0;
});
afterEach(async () => {
  await harness.close();
});

const cardOf = (name: string) =>
  assertPresent(harness.fake.messagesIn(harness.fake.dmOf(slackId(name)))[0], `${name}'s card`);
const updates = () => harness.fake.calls.filter((one) => one.method === "chat.update").length;
const answered = () => waitFor(() => harness.fake.responses.length > 0);

describe("one press builds one card", () => {
  test("a decision, for the answer and the message whose button was pressed", async () => {
    await harness.press("ann", cardOf("ann"), "approve");
    await answered();
    expect([harness.cardBuilds.take(), updates()]).toEqual([1, 1]);
  });

  test("a decision that comes too late", async () => {
    const stale = structuredClone(cardOf("bob"));
    await harness.press("ann", cardOf("ann"), "approve");
    await answered();
    harness.cardBuilds.take();
    await harness.press("bob", stale, "approve");
    await waitFor(() => harness.fake.responses.length > 1);
    expect([harness.cardBuilds.take(), updates()]).toEqual([1, 2]);
  });

  test("a form, and what is sent with it", async () => {
    await harness.press("ann", cardOf("ann"), "deny");
    await waitFor(() => harness.fake.views.size > 0);
    expect([harness.cardBuilds.take(), updates()]).toEqual([1, 0]);
    await harness.submit("ann", harness.modal().id, { words: "use the replica" });
    expect(harness.cardBuilds.take()).toBe(1);
  });

  test("the credential", async () => {
    await harness.press("ann", cardOf("ann"), "approve");
    await harness.settle();
    harness.cardBuilds.take();
    await harness.press("dev", cardOf("dev"), "show_credential");
    await waitFor(() => harness.modals().includes("kd_jit_"));
    await expect.poll(() => harness.cardBuilds.take()).toBe(1);
  });

  test("in a channel a second one, because the message shows what everybody there may see", async () => {
    const [posted] = harness.fake.messagesIn("C0DBA");
    await harness.press("ann", assertPresent(posted, "the channel's card"), "approve");
    await answered();
    expect([harness.cardBuilds.take(), updates()]).toEqual([2, 1]);
  });
});
