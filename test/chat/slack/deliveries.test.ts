import { afterEach, beforeEach, describe } from "vitest";
import type { SlackMessage } from "../../fakes/slack/fake-slack.ts";
import { present } from "../../../src/core/values/assert.ts";
import { identityFixture } from "../../support/fixtures.ts";
import { messengerContract } from "../../support/messenger-contract.ts";
import { copiesContract } from "../../support/deliveries-contract.ts";
import { contractPolicies, contractRules, type ShownCopy } from "../../support/deliveries-harness.ts";
import { buttonsOf, slackId } from "./support/slack-harness-factory.ts";
import { shownMessage } from "./support/shown-message.ts";
import { openSlackHouse, type SlackHouse } from "./support/slack-harness.ts";

const policies = contractPolicies("slack:C0PAIR");

/** Cards of requests, and not the news below or beside them. */
const copiesAmong = (messages: readonly SlackMessage[]): readonly ShownCopy[] =>
  messages
    .filter((one) => one.blocks[0]?.["type"] === "header")
    .map((one) => ({ words: JSON.stringify(one.blocks), buttons: buttonsOf(one) }));

describe("copies of a card in Slack", () => {
  let house: SlackHouse;
  beforeEach(async () => {
    house = await openSlackHouse(policies, contractRules);
  });
  afterEach(async () => {
    await house.close();
  });

  messengerContract(() => {
    const { office, fake, people } = house;
    const named = (name: string) => ({
      ...identityFixture(name),
      links: people.find((one) => one.name === name)?.links ?? {},
    });
    return {
      messenger: present(office.context.surfaces.get("slack"), "Slack"),
      person: named("ann"),
      stranger: named("sam"),
      channel: "slack:C0PAIR",
      latest: () => shownMessage(present([...fake.messages.values()].at(-1), "a message")),
      arrived: () => fake.messages.size,
      deleteAll: () => fake.messages.clear(),
      takeDown: () => {
        fake.trouble = () => ({ status: 503 });
      },
    };
  });

  copiesContract(() => {
    const { office, fake, settle } = house;
    return {
      office,
      settle,
      copiesOf: (name) => copiesAmong(fake.messagesIn(fake.dmOf(slackId(name)))),
      copiesInChannel: () => copiesAmong(fake.messagesIn("C0PAIR")),
      deleteCopiesOf: (name) => {
        for (const one of fake.messagesIn(fake.dmOf(slackId(name))))
          fake.messages.delete(`${one.channel} ${one.ts}`);
      },
      withButtons: () =>
        [...fake.messages.values()].flatMap((message) => {
          const buttons = buttonsOf(message);
          return buttons.length === 0 ? [] : [{ id: message.ts, buttons }];
        }),
      fail: (name) => {
        const theirs = name === null ? undefined : new Set([slackId(name), fake.dmOf(slackId(name))]);
        fake.trouble = (method, body) => {
          const isTheirs = theirs === undefined || theirs.has(String(body["channel"]));
          return method.startsWith("chat.") && isTheirs ? { status: 503 } : undefined;
        };
      },
      heal: () => {
        fake.trouble = () => undefined;
      },
    };
  });
});
