import { describe, expect, test } from "vitest";
import { minuteMs } from "../../../src/core/values/time.ts";
import { chatPolicies } from "../conversation/support/policy-fixtures.ts";
import { allStaff } from "../../service/support/service-harness.ts";
import { chatRules } from "../conversation/support/policy-fixtures.ts";
import { tenantId } from "../../fakes/teams/bot-framework.ts";
import { introduce, teamsForEach, type TeamsHarness } from "./support/teams-harness.ts";
import { button, memberNamed, titles, wordsOn } from "./support/teams-users.ts";

const asking = "request read:prod:orders-db for 2h because INC-42";

/** The card of dev's request that ann sees. */
async function annsCard(h: TeamsHarness) {
  await introduce(h, "dev", "ann", "bob", "cto");
  await h.say("dev", asking);
  return h.cardsOf("ann").at(-1);
}

const refusals = async (h: TeamsHarness) =>
  (await h.service.audit()).filter((row) => row.action === "decision.refused");

describe("each press looks up the sender in Teams", () => {
  test.each<[string, object]>([
    ["a guest", { userRole: "guest" }],
    ["an anonymous user", { userRole: "anonymous" }],
    ["a member of another tenant", { tenantId: "foreign" }],
    ["a person who is not the signed sender", { aadObjectId: "aad-bob" }],
  ])("%s decides nothing, and that is recorded", async (_, more) => {
    const h = harness();
    const card = await annsCard(h);
    h.fake.members.set("29:ann", { ...memberNamed("ann"), ...more });
    const answer = await h.press("ann", button(card, "Approve"));
    expect(answer).toMatchObject({
      status: 200,
      sentence: expect.stringContaining("Guests and people from elsewhere"),
    });
    await h.settle();
    expect(titles(h.cardsOf("bob").at(-1))).toContain("Approve");
    expect((await refusals(h)).map((row) => row.body)).toEqual([
      expect.stringContaining(`teams:${tenantId}:aad-ann`),
    ]);
  });

  test.each<[string, (h: TeamsHarness) => void]>([
    [
      "answers with an error",
      (h) => h.fake.trouble.push({ of: ({ verb }) => verb === "member", status: 500 }),
    ],
    ["throttles us", (h) => h.fake.trouble.push({ of: ({ verb }) => verb === "member", status: 429 })],
    ["does not answer", (h) => h.fake.trouble.push({ of: ({ verb }) => verb === "member", status: "hang" })],
    ["does not know them", (h) => h.fake.members.delete("29:ann")],
    [
      "leaves out their role",
      (h) => h.fake.members.set("29:ann", { id: "29:ann", aadObjectId: "aad-ann" } as never),
    ],
    ["refuses our sign-in", (h) => void (h.fake.login.status = 401)],
  ])("while Teams %s, every press is refused", async (_, trouble) => {
    const h = harness();
    const card = await annsCard(h);
    if (_ === "refuses our sign-in") h.service.clock.pass(3_600_000);
    trouble(h);
    const answer = await h.press("ann", button(card, "Approve"));
    expect(answer).toMatchObject({
      status: 200,
      sentence: expect.stringContaining("cannot verify you right now"),
    });
    expect((await h.service.audit()).some((row) => row.action === "approval.given")).toBe(false);
  });

  test("a deactivated identity decides nothing", async () => {
    const h = harness();
    const card = await annsCard(h);
    const admin = await h.service.caller("cto", "admin");
    await h.service.services.directory.change(admin, "id_ann", { active: false });
    expect((await h.press("ann", button(card, "Approve"))).sentence).toContain("not active");
    expect((await refusals(h)).map(({ data }) => data["code"])).toEqual(["identity_inactive"]);
  });

  test("our valid token is used while one shared sign-in hangs", async () => {
    const h = harness();
    const card = await annsCard(h);
    h.fake.login.status = "hang";
    h.service.clock.pass(56 * minuteMs);
    const before = h.fake.logins.length;
    expect(titles((await h.press("ann", button(card, "Details"))).card).length).toBeGreaterThan(0);
    expect(titles((await h.press("ann", button(card, "Approve"))).card)).toEqual(["Revoke", "Details"]);
    expect(h.fake.logins.length).toBe(before + 1);
  });

  test("a press without a signed account is refused", async () => {
    const h = harness();
    const card = await annsCard(h);
    const from = { id: "29:ann", name: "ann" };
    expect((await h.press("ann", button(card, "Approve"), {}, { from })).sentence).toContain(
      "cannot verify you right now",
    );
  });
});

const harness = teamsForEach(chatPolicies);

describe("a person without a linked account", () => {
  const unlinked = async (h: TeamsHarness): Promise<void> => {
    const people = allStaff.filter(({ name }) => name !== "bot");
    const linked = people.map((one) =>
      one.name === "dev" ? one : { ...one, links: { teams: { tenantId, aadObjectId: `aad-${one.name}` } } },
    );
    await h.service.configure(chatPolicies(), chatRules, linked);
    await introduce(h, "dev", "ann", "bob", "cto");
  };

  test("reads which ids an administrator needs, and nothing else happens", async () => {
    const h = harness();
    await unlinked(h);
    await h.say("dev", asking);
    const [card] = h.cardsOf("dev");
    expect(wordsOn(card)).toContain(tenantId);
    expect(wordsOn(card)).toContain("aad-dev");
    expect(titles(card)).toEqual(["Ask to be linked"]);
    expect((await h.service.audit()).some((row) => row.action === "request.submitted")).toBe(false);
  });

  test("asks to be linked, is linked by an administrator with one press, and requests access", async () => {
    const h = harness();
    await unlinked(h);
    await h.say("dev", "hello");
    await h.press("dev", button(h.cardsOf("dev")[0], "Ask to be linked"));
    await h.settle();
    const note = h.cardsOf("cto").at(-1);
    expect(wordsOn(note)).toContain("dev@company.com");
    const messageId = [...h.fake.messages].findLast(
      ([, { conversation }]) => conversation === "a:29:cto",
    )?.[0];
    const linked = await h.press("cto", button(note, "Link"), {}, { replyToId: messageId });
    expect(wordsOn(linked.card)).toContain("Linked to dev");
    await h.settle();
    expect(titles(h.cardsOf("cto").at(-1))).toEqual([]);
    await h.say("dev", asking);
    expect(h.cardsOf("dev").map(wordsOn).join("\n")).toContain("Asked: ");
  });

  test("links nobody by pressing the administrator's button", async () => {
    const h = harness();
    await unlinked(h);
    await h.say("dev", "link");
    await h.settle();
    const pressed = await h.press("dev", button(h.cardsOf("cto").at(-1), "Link"));
    expect(pressed.status).toBe(200);
    const pressedByAnn = await h.press("ann", button(h.cardsOf("cto").at(-1), "Link"));
    expect(pressedByAnn.sentence).toContain("role");
    expect((await h.service.audit()).some((row) => row.action === "identity.linked")).toBe(false);
  });
});

describe("linking by the user principal name", () => {
  const linking = teamsForEach(chatPolicies, { linkByEmail: true });
  const unlinked = (h: TeamsHarness) => h.service.configure(chatPolicies(), chatRules, allStaff);

  test("happens once for a member of our tenant, and stays when the name changes", async () => {
    const h = linking();
    await unlinked(h);
    await h.say("dev", asking);
    h.fake.members.set("29:dev", { ...memberNamed("dev"), userPrincipalName: "ann@company.com" });
    await h.say("dev", "status");
    const linked = (await h.service.audit()).filter((row) => row.action === "identity.linked");
    expect(linked.map((row) => row.body)).toEqual([expect.stringContaining("id_dev")]);
  });

  test("does not happen for guests, nor for a name that no identity has", async () => {
    const h = linking();
    await unlinked(h);
    h.fake.members.set("29:dev", { ...memberNamed("dev"), userRole: "guest" });
    h.fake.members.set("29:ann", { ...memberNamed("ann"), userPrincipalName: "other@company.com" });
    await h.say("dev", asking);
    await h.say("ann", asking);
    expect((await h.service.audit()).some((row) => row.action === "identity.linked")).toBe(false);
  });
});

test("an account that the requester linked to an approver does not approve for them", async () => {
  const h = harness();
  const { service } = h;
  const linked = (name: string) => ({ teams: { tenantId, aadObjectId: `aad-${name}` } });
  const people = allStaff.map((one) =>
    one.kind === "HUMAN" && one.name !== "ann" ? { ...one, links: linked(one.name) } : one,
  );
  await service.configure(chatPolicies(), chatRules, people);
  const dev = await service.caller("dev", "admin");
  await service.services.accountLinks.link(
    { ...dev, via: "teams" },
    { surface: "teams", team: tenantId, user: "aad-ann" },
    "id_ann",
  );
  const card = await annsCard(h);
  const answer = await h.press("ann", button(card, "Approve"));
  expect(answer).toMatchObject({ text: expect.stringContaining("came from the person who asks") });
  const [row] = (await service.store.requests({ now: service.clock.now() }, { limit: 1 })).rows;
  expect(row?.request.value).toMatchObject({ phase: "PENDING", votes: [] });
});
