import { afterEach, expect, test } from "vitest";
import { present } from "../../../src/core/values/assert.ts";
import { approvalPolicy, stageBy } from "../../core/support/policies.ts";
import { slackId } from "./support/slack-harness-factory.ts";
import { idOf, openSlackHouse, waitFor, type SlackHouse } from "./support/slack-harness.ts";

const policies = [approvalPolicy("dba", { stages: [stageBy("group:dba")] })];

let house: SlackHouse;
afterEach(async () => {
  await house.close();
});

/** What sam, who has no link, becomes by typing a command. */
const linkOfSam = async (member: object, linkByEmail = true) => {
  house = await openSlackHouse(policies, {}, { linkByEmail }, (fake) => {
    fake.members.set(slackId("sam"), { profile: { email: "sam@company.com" }, ...member });
  });
  await house.command("sam", "list");
  return (await house.office.store.identity(idOf("sam")))?.value.links.slack;
};

test("by e-mail, where it is switched on: a full member with exactly one's address is linked, on record", async () => {
  expect(await linkOfSam({})).toEqual({ teamId: house.fake.teamId, userId: slackId("sam") });
  expect((await house.office.audit()).map((one) => one.action)).toContain("identity.linked");
});

test("made once, the link stays with the account whatever its address says later", async () => {
  await linkOfSam({});
  house.fake.members.set(slackId("sam"), { profile: { email: "cto@company.com" } });
  await house.command("sam", "list");
  expect((await house.office.store.identity(idOf("cto")))?.value.links.slack?.userId).toBe(slackId("cto"));
  expect((await house.office.store.identity(idOf("sam")))?.value.links.slack?.userId).toBe(slackId("sam"));
});

test.for([
  ["a guest", { is_restricted: true }],
  ["a bot", { is_bot: true }],
  ["a member of another workspace", { team_id: "T0OTHER" }],
  ["an address that nobody has confirmed", { is_email_confirmed: false }],
  ["an address of somebody who has an account already", { profile: { email: "ann@company.com" } }],
  ["no address", { profile: {} }],
] as const)("never by e-mail: %s", async ([, member]) => {
  expect(await linkOfSam(member)).toBeUndefined();
  expect((await house.office.audit()).map((one) => one.action)).not.toContain("identity.linked");
});

test("never by e-mail unless it is switched on", async () => {
  expect(await linkOfSam({}, false)).toBeUndefined();
});

test("an account that the requester linked to an approver does not approve for them", async () => {
  house = await openSlackHouse([approvalPolicy("sec", { stages: [stageBy("group:security")] })]);
  const { services } = house.office;
  const dev = await house.office.caller("dev", "admin");
  await services.people.link(
    { ...dev, via: "slack" },
    { surface: "slack", team: house.fake.teamId, user: slackId("sam") },
    idOf("sam"),
  );
  await house.command("dev", "request read:prod:orders-db for 2h because INC-42");
  await house.settle();
  const card = house.fake.messagesIn(house.fake.dmOf(slackId("sam"))).at(-1);
  await house.press("sam", present(card, "sam's card"), "approve");
  await house.settle();
  await waitFor(() => house.lastWhisper().includes("came from the person who asks"));
  const [request] = (await house.office.store.requests({ now: house.office.clock.now() }, { limit: 1 })).rows;
  expect(request?.request.value).toMatchObject({ phase: "PENDING", votes: [] });
});
