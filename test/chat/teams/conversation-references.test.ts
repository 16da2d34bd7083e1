import { expect, test } from "vitest";
import { chatPolicies } from "../conversation/support/policy-fixtures.ts";
import { tenantId } from "../../fakes/teams/bot-framework.ts";
import { channelId, introduce, teamsForEach, type TeamsHarness } from "./support/teams-harness.ts";
import { titles } from "./support/teams-users.ts";

const harness = teamsForEach(chatPolicies);
const asking = "request read:prod:orders-db for 2h because INC-42";

const personAt = async (h: TeamsHarness, name: string) =>
  h.service.store.address("teams", `person:${tenantId}:aad-${name}`);

test.each([
  [
    "with the id that Teams gives it",
    { id: "19:ann_bob@unq.gbl.spaces", conversationType: "personal", tenantId },
  ],
  ["without a conversation type", { id: "19:ann_bob@unq.gbl.spaces", tenantId }],
  ["with any other id", { id: "a:between-two-people", conversationType: "personal", tenantId }],
])(
  "the message extension in a chat between two people keeps their personal conversations, %s",
  async (_, conversation) => {
    const h = harness();
    await introduce(h, "dev", "ann");
    const before = await personAt(h, "ann");
    for (const name of ["composeExtension/fetchTask", "composeExtension/submitAction", "task/submit"]) {
      const value = { commandId: "request", data: { verb: "menu:request_access" } };
      await h.call(h.activity("ann", { type: "invoke", name, value, conversation }));
    }
    expect(await personAt(h, "ann")).toEqual(before);
    await h.say("dev", asking);
    expect(h.cardsOf("ann")).toHaveLength(1);
  },
);

test("removing the app from a chat between two people keeps both reachable", async () => {
  const h = harness();
  await introduce(h, "ann");
  const conversation = { id: "19:ann_bob@unq.gbl.spaces", conversationType: "personal", tenantId };
  await h.call(h.activity("ann", { type: "installationUpdate", action: "remove", conversation }));
  expect(await personAt(h, "ann")).toMatchObject({ conversationId: "a:29:ann" });
});

test("a person seen only in a chat between people does not become reachable", async () => {
  const h = harness();
  const conversation = { id: "19:ann_bob@unq.gbl.spaces", conversationType: "personal", tenantId };
  const value = { commandId: "request" };
  await h.call(
    h.activity("ann", { type: "invoke", name: "composeExtension/fetchTask", value, conversation }),
  );
  expect(await personAt(h, "ann")).toBeUndefined();
  expect(await h.service.store.address("teams", `conversation:${conversation.id}`)).toBeUndefined();
});

test.each([
  ["their readers have written since", true],
  ["only other people have written since", false],
])(
  "after the service's address has moved, older cards are rewritten at the new one: %s",
  async (_, hasWritten) => {
    const h = harness();
    await introduce(h, "dev", "ann", "bob", "cid");
    await h.call(
      h.activity("ann", {
        type: "conversationUpdate",
        conversation: { id: channelId, conversationType: "channel", tenantId },
      }),
    );
    await h.say("dev", asking);
    expect(titles(h.cardsOf("bob")[0])).toContain("Approve");
    h.fake.moveTo("amer");
    await introduce(h, ...(hasWritten ? ["dev", "ann", "bob", "cid"] : ["cid"]));
    const [id = ""] = await h.service.store.openRequestsOf((await h.service.caller("dev")).identity.id);
    await h.service.services.requestCommands.approve(await h.service.caller("ann"), id, {});
    await h.settle();
    for (const name of ["ann", "bob", "cid"]) {
      expect(h.cardsOf(name)).toHaveLength(1);
      expect(titles(h.cardsOf(name)[0])).toEqual(["Revoke", "Details"]);
    }
  },
);

test("an old address that does not answer is not taken for an outage", async () => {
  const h = harness();
  await introduce(h, "dev", "ann");
  await h.say("dev", asking);
  const { conversation, activity } =
    [...h.fake.messages].map(([id, one]) => ({ ...one, activity: id }))[0] ?? {};
  const { messenger } = h.teams;
  const asked = await h.service.ask("dev", { scopes: ["read:prod:b"] });
  const card = await h.service.services.cards.cardFor(
    "request" in asked ? asked.request.id : "",
    "channel",
    null,
  );
  if (card === undefined) throw new Error("no card");
  const ref = { serviceUrl: "http://127.0.0.1:1/emea/", conversation, activity, user: "29:ann" };
  h.fake.messages.clear();
  expect(await messenger.rewrite(JSON.stringify(ref), card, AbortSignal.timeout(5_000), true)).toBe("gone");
});
