import { describe, expect, test } from "vitest";
import { tenantId } from "../../fakes/teams/bot-framework.ts";
import { chatPolicies } from "../conversation/support/policy-fixtures.ts";
import { anyCard } from "./support/any-card.ts";
import { channelId, introduce, teamsForEach } from "./support/teams-harness.ts";
import { wordsOn } from "./support/teams-users.ts";

const harness = teamsForEach(chatPolicies);

describe("the members of a channel", () => {
  test("are cached, and unknown if Teams does not list them", async () => {
    const h = harness();
    await introduce(h, "dev");
    expect(await h.teams.messenger.membersOf(`channel:${channelId}`)).toBeUndefined();
    h.service.clock.pass(10 * 60_000);
    h.fake.channelMembers.set(channelId, ["aad-ann", "aad-bob"]);
    const members = async () => h.teams.messenger.membersOf(`channel:${channelId}`);
    expect(await members()).toEqual(new Set(["person:aad-ann", "person:aad-bob"]));
    const asked = h.fake.calls.length;
    expect(await members()).toEqual(new Set(["person:aad-ann", "person:aad-bob"]));
    expect(h.fake.calls.length).toBe(asked);
  });

  test("are mentioned by their ids in Teams", async () => {
    const h = harness();
    const { card } = await anyCard(h);
    const account = { surface: "teams", team: tenantId, user: "aad-ann" } as const;
    const calling = { ...card, mentions: [{ kind: "account", account, name: "[x](https://evil)" }] } as const;
    const address = h.teams.messenger.channelAddress(`teams:${channelId}`) ?? "";
    await h.teams.messenger.post(address, calling, AbortSignal.timeout(5_000));
    const sent = h.cardsIn(channelId).at(-1);
    expect(wordsOn(sent)).toContain("Please decide: <at>1</at>");
    expect(wordsOn(sent)).not.toContain("evil");
    expect(sent?.["msteams"]).toMatchObject({
      entities: [{ text: "<at>1</at>", mentioned: { id: "aad-ann" } }],
    });
  });
});
