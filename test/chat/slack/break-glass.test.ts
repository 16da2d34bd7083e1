import { afterEach, beforeEach, expect, test } from "vitest";
import { assertPresent } from "../../../src/core/values/assert.ts";
import { emptyRules } from "../../../src/core/policy/policy.ts";
import { approvalPolicy, stageBy } from "../../core/support/policies.ts";
import { buttonsOf, slackId } from "./support/slack-users.ts";
import { openSlackHarness, waitFor, type SlackHarness } from "./support/slack-harness.ts";

const breakGlass = {
  ...emptyRules.breakGlass,
  allowed: [{ kind: "group", group: "oncall" } as const],
  review: { ...emptyRules.breakGlass.review, by: [{ kind: "group", group: "dba" } as const] },
  notify: ["slack:C0SECURITY"],
};

let harness: SlackHarness;
beforeEach(async () => {
  harness = await openSlackHarness([approvalPolicy("dba", { stages: [stageBy("group:dba")] })], {
    breakGlass,
  });
});
afterEach(async () => {
  await harness.close();
});

const dm = (name: string) => harness.fake.messagesIn(harness.fake.dmOf(slackId(name)));
const card = (name: string) => assertPresent(dm(name)[0], `${name}'s card`);
const actions = async () => (await harness.service.audit()).map((one) => one.action);
const newWindow = async () => {
  await waitFor(() => [...harness.fake.views.keys()].some((id) => id.startsWith("V")));
  return harness.modal();
};
/** Takes break-glass access, up to the button that shows the credential. */
const takeAccess = async () => {
  await harness.command("dev", "break-glass read:prod:orders-db for 30m because INC-43 data is being lost");
  const form = await newWindow();
  const text = JSON.stringify(form);
  expect(text).toContain("Recorded for ever");
  expect(text).toContain("slack:C0SECURITY");
  expect(await actions()).not.toContain("break_glass.used");
  const answer = await harness.submit("dev", form.id, {
    scopes: "read:prod:orders-db",
    duration: "30m",
    reason: "INC-43 data is being lost",
  });
  await harness.settle();
  return answer;
};

test("the form says what is recorded and who is alerted; the alert precedes the secret", async () => {
  const answer = await takeAccess();
  expect(answer.body["response_action"]).toBe("update");
  expect(JSON.stringify(answer.body)).not.toContain("kd_jit_");
  expect(JSON.stringify(harness.fake.messagesIn("C0SECURITY"))).toContain("emergency access");
  expect(buttonsOf(card("dev"))).toContain("Show credential");
  await harness.press("dev", card("dev"), "show_credential");
  await waitFor(() => harness.modals().includes("kd_jit_"));
  await harness.settle();
  expect(buttonsOf(card("dev"))).toEqual(["I'm done", "Replace credential"]);
});

test("a reviewer judges with a reason; Not justified ends the access at once, and its user is notified", async () => {
  await takeAccess();
  await harness.press("dev", card("dev"), "show_credential");
  await waitFor(() => harness.modals().includes("kd_jit_"));
  const token = assertPresent(/kd_jit_[0-9A-Za-z]{36}/.exec(harness.modals())?.[0], "token");
  await harness.settle();
  expect(buttonsOf(card("ann"))).toEqual(["Justified", "Not justified", "Revoke"]);
  harness.fake.views.clear();
  await harness.press("ann", card("ann"), "not_justified");
  const form = await newWindow();
  await harness.submit("ann", form.id, { words: "nobody lost anything" });
  await harness.settle();
  expect(await actions()).toContain("break_glass.reviewed");
  expect((await harness.service.services.tokenChecks.introspect(token)).active).toBe(false);
  expect(JSON.stringify(dm("dev"))).toContain("nobody lost anything");
});

test("the person who used it cannot judge it, on any card", async () => {
  await takeAccess();
  await harness.press("dev", card("dev"), "show_credential");
  await waitFor(() => harness.modals().includes("kd_jit_"));
  await harness.settle();
  await harness.press("dev", card("ann"), "justified");
  await waitFor(() => harness.lastEphemeral().includes("cannot review your own"));
  expect(await actions()).not.toContain("break_glass.reviewed");
});

test("an extension has its own form and card; the credential stays", async () => {
  await harness.command("dev", "request read:prod:orders-db for 2h because INC-42");
  await harness.settle();
  await harness.press("ann", card("ann"), "approve");
  await harness.settle();
  await harness.press("dev", card("dev"), "show_credential");
  await waitFor(() => harness.modals().includes("kd_jit_"));
  const token = assertPresent(/kd_jit_[0-9A-Za-z]{36}/.exec(harness.modals())?.[0], "token");
  await harness.settle();
  harness.fake.views.clear();
  await harness.press("dev", card("dev"), "extend");
  const form = await newWindow();
  await harness.submit("dev", form.id, { duration: "1h", words: "the copy is slow" });
  await harness.settle();
  const more = assertPresent(
    dm("bob").find((one) => one.thread === undefined && buttonsOf(one).includes("Approve")),
    "bob's card of the extension",
  );
  expect(JSON.stringify(more.blocks)).toContain("asks for more time");
  await harness.press("bob", more, "approve");
  await harness.settle();
  expect(await actions()).toContain("grant.extended");
  expect((await harness.service.services.tokenChecks.introspect(token)).active).toBe(true);
  expect(buttonsOf(more)).toEqual([]);
});
