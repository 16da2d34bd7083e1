import { afterEach, expect, test } from "vitest";
import { assertPresent } from "../../../src/core/values/assert.ts";
import { approvalPolicy, stageBy } from "../../core/support/policies.ts";
import { slackId } from "./support/slack-users.ts";
import { idOf, openSlackHarness, waitFor, type SlackHarness } from "./support/slack-harness.ts";

const policies = [approvalPolicy("dba", { stages: [stageBy("group:dba")] })];

let harness: SlackHarness;
afterEach(async () => {
  await harness.close();
});

/** The link that sam, who has none, gets by typing a command. */
const linkOfSam = async (member: object, linkByEmail = true) => {
  harness = await openSlackHarness(policies, {}, { linkByEmail }, (fake) => {
    fake.members.set(slackId("sam"), { profile: { email: "sam@company.com" }, ...member });
  });
  await harness.command("sam", "list");
  return (await harness.service.store.identity(idOf("sam")))?.value.links.slack;
};

test("by e-mail, if enabled: a full member whose address matches one identity is linked, and that is recorded", async () => {
  expect(await linkOfSam({})).toEqual({ teamId: harness.fake.teamId, userId: slackId("sam") });
  expect((await harness.service.audit()).map((one) => one.action)).toContain("identity.linked");
});

test("a link stays with the account when its address changes later", async () => {
  await linkOfSam({});
  harness.fake.members.set(slackId("sam"), { profile: { email: "cto@company.com" } });
  await harness.command("sam", "list");
  expect((await harness.service.store.identity(idOf("cto")))?.value.links.slack?.userId).toBe(slackId("cto"));
  expect((await harness.service.store.identity(idOf("sam")))?.value.links.slack?.userId).toBe(slackId("sam"));
});

test.for([
  ["a guest", { is_restricted: true }],
  ["a bot", { is_bot: true }],
  ["a member of another workspace", { team_id: "T0OTHER" }],
  ["an unconfirmed address", { is_email_confirmed: false }],
  ["the address of a person with another account", { profile: { email: "ann@company.com" } }],
  ["no address", { profile: {} }],
] as const)("never by e-mail: %s", async ([, member]) => {
  expect(await linkOfSam(member)).toBeUndefined();
  expect((await harness.service.audit()).map((one) => one.action)).not.toContain("identity.linked");
});

test("never by e-mail unless enabled", async () => {
  expect(await linkOfSam({}, false)).toBeUndefined();
});

test("an account that the requester linked to an approver does not approve for them", async () => {
  harness = await openSlackHarness([approvalPolicy("sec", { stages: [stageBy("group:security")] })]);
  const { services } = harness.service;
  const dev = await harness.service.caller("dev", "admin");
  await services.accountLinks.link(
    { ...dev, via: "slack" },
    { surface: "slack", team: harness.fake.teamId, user: slackId("sam") },
    idOf("sam"),
  );
  await harness.command("dev", "request read:prod:orders-db for 2h because INC-42");
  await harness.settle();
  const card = harness.fake.messagesIn(harness.fake.dmOf(slackId("sam"))).at(-1);
  await harness.press("sam", assertPresent(card, "sam's card"), "approve");
  await harness.settle();
  await waitFor(() => harness.lastEphemeral().includes("came from the person who asks"));
  const [request] = (await harness.service.store.requests({ now: harness.service.clock.now() }, { limit: 1 }))
    .rows;
  expect(request?.request.value).toMatchObject({ phase: "PENDING", votes: [] });
});
