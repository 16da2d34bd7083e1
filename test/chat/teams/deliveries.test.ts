import { beforeEach, describe, expect } from "vitest";
import { cardBytesMax } from "../../../src/chat/teams/views/adaptive-card.ts";
import { minuteMs } from "../../../src/core/values/time.ts";
import { assertPresent } from "../../../src/core/values/assert.ts";
import { tenantId, type FakeCard } from "../../fakes/teams/bot-framework.ts";
import { identityFixture } from "../../support/fixtures.ts";
import { messengerContract } from "../../support/messenger-contract.ts";
import { deliveriesContract } from "../../support/deliveries-contract.ts";
import { contractPolicies, type ShownDelivery } from "../../support/deliveries-harness.ts";
import { channelId, introduce, teamsForEach } from "./support/teams-harness.ts";
import { shownMessage } from "./support/shown-message.ts";
import { titles, wordsOn } from "./support/teams-users.ts";

const harness = teamsForEach(() => contractPolicies(`teams:${channelId}`));

const accountOf = (name: string) => ({ teams: { tenantId, aadObjectId: `aad-${name}` } });

/** The cards of requests, without notes. */
const deliveriesAmong = (cards: readonly FakeCard[]): readonly ShownDelivery[] =>
  cards
    .map((card) => ({ words: wordsOn(card), buttons: titles(card) }))
    .filter(({ words }) => words.includes("Access: "));

describe("messages in Teams", () => {
  beforeEach(() => introduce(harness()));

  messengerContract(() => {
    const { service, fake, cardsOf } = harness();
    return {
      messenger: assertPresent(service.context.surfaces.get("teams"), "Teams"),
      person: { ...identityFixture("ann"), links: accountOf("ann") },
      stranger: identityFixture("nobody"),
      channel: `teams:${channelId}`,
      latest: () => {
        const { activity } = assertPresent([...fake.messages.values()].at(-1), "a message");
        // The size as sent, with everything that is added to the card.
        expect(Buffer.byteLength(JSON.stringify(activity))).toBeLessThan(cardBytesMax);
        return shownMessage(assertPresent(cardsOf("ann").at(-1), "a card"));
      },
      rest: () => service.clock.pass(minuteMs),
      arrived: () => cardsOf("ann").length,
      deleteAll: () => fake.messages.clear(),
      takeDown: () => {
        fake.trouble.push({ of: () => true, status: 503 });
      },
    };
  });

  deliveriesContract(() => {
    const { service, fake, settle, cardsOf, cardsIn } = harness();
    return {
      service,
      settle,
      deliveriesOf: (name) => deliveriesAmong(cardsOf(name)),
      deliveriesInChannel: () => deliveriesAmong(cardsIn(channelId)),
      deleteDeliveriesOf: (name) => {
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
