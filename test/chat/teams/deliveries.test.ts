import { beforeEach, describe, expect } from "vitest";
import { cardBytesMax } from "../../../src/chat/teams/views/adaptive-card.ts";
import { minuteMs } from "../../../src/core/values/time.ts";
import { present } from "../../../src/core/values/assert.ts";
import { tenantId, type FakeCard } from "../../fakes/teams/bot-framework.ts";
import { identityFixture } from "../../support/fixtures.ts";
import { messengerContract } from "../../support/messenger-contract.ts";
import { copiesContract } from "../../support/deliveries-contract.ts";
import { contractPolicies, type ShownCopy } from "../../support/deliveries-harness.ts";
import { channelId, introduced, teamsForEach } from "./support/teams-harness.ts";
import { shownMessage } from "./support/shown-message.ts";
import { titles, wordsOn } from "./support/teams-users.ts";

const house = teamsForEach(() => contractPolicies(`teams:${channelId}`));

const accountOf = (name: string) => ({ teams: { tenantId, aadObjectId: `aad-${name}` } });

/** Cards of requests, and not the news beside them. */
const copiesAmong = (cards: readonly FakeCard[]): readonly ShownCopy[] =>
  cards
    .map((card) => ({ words: wordsOn(card), buttons: titles(card) }))
    .filter(({ words }) => words.includes("Access: "));

describe("copies of a card in Teams", () => {
  beforeEach(() => introduced(house()));

  messengerContract(() => {
    const { office, fake, cardsOf } = house();
    return {
      messenger: present(office.context.surfaces.get("teams"), "Teams"),
      person: { ...identityFixture("ann"), links: accountOf("ann") },
      stranger: identityFixture("nobody"),
      channel: `teams:${channelId}`,
      latest: () => {
        const { activity } = present([...fake.messages.values()].at(-1), "a message");
        // As sent, with what is added to the card.
        expect(Buffer.byteLength(JSON.stringify(activity))).toBeLessThan(cardBytesMax);
        return shownMessage(present(cardsOf("ann").at(-1), "a card"));
      },
      rest: () => office.clock.pass(minuteMs),
      arrived: () => cardsOf("ann").length,
      deleteAll: () => fake.messages.clear(),
      takeDown: () => {
        fake.trouble.push({ of: () => true, status: 503 });
      },
    };
  });

  copiesContract(() => {
    const { office, fake, settle, cardsOf, cardsIn } = house();
    return {
      office,
      settle,
      copiesOf: (name) => copiesAmong(cardsOf(name)),
      copiesInChannel: () => copiesAmong(cardsIn(channelId)),
      deleteCopiesOf: (name) => {
        for (const [id, { conversation }] of fake.messages) {
          if (conversation === `a:29:${name}`) fake.messages.delete(id);
        }
      },
      withButtons: () =>
        [...fake.messages].flatMap(([id, { activity }]) => {
          const buttons = (activity.attachments ?? []).flatMap(({ content }) => titles(content));
          return buttons.length === 0 ? [] : [{ id, buttons }];
        }),
      fail: (name) => {
        const isTheirs = (conversation: string): boolean => name === null || conversation === `a:29:${name}`;
        fake.trouble.push({ of: ({ conversation }) => isTheirs(conversation), status: 503 });
      },
      heal: () => {
        fake.trouble.length = 0;
      },
    };
  });
});
