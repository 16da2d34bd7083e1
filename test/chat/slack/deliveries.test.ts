import { afterEach, beforeEach, describe } from "vitest";
import type { SlackMessage } from "../../fakes/slack/fake-slack.ts";
import { assertPresent } from "../../../src/core/values/assert.ts";
import { identityFixture } from "../../support/fixtures.ts";
import { messengerContract } from "../../support/messenger-contract.ts";
import { deliveriesContract } from "../../support/deliveries-contract.ts";
import { contractPolicies, contractRules, type ShownDelivery } from "../../support/deliveries-harness.ts";
import { buttonsOf, slackId } from "./support/slack-users.ts";
import { shownMessage } from "./support/shown-message.ts";
import { openSlackHarness, type SlackHarness } from "./support/slack-harness.ts";

const policies = contractPolicies("slack:C0PAIR");

/** The cards of requests, without notes. */
const deliveriesAmong = (messages: readonly SlackMessage[]): readonly ShownDelivery[] =>
  messages
    .filter((one) => one.blocks[0]?.["type"] === "header")
    .map((one) => ({ words: JSON.stringify(one.blocks), buttons: buttonsOf(one) }));

describe("messages in Slack", () => {
  let harness: SlackHarness;
  beforeEach(async () => {
    harness = await openSlackHarness(policies, contractRules);
  });
  afterEach(async () => {
    await harness.close();
  });

  messengerContract(() => {
    const { service, fake, people } = harness;
    const named = (name: string) => ({
      ...identityFixture(name),
      links: people.find((one) => one.name === name)?.links ?? {},
    });
    return {
      messenger: assertPresent(service.context.surfaces.get("slack"), "Slack"),
      person: named("ann"),
      stranger: named("sam"),
      channel: "slack:C0PAIR",
      latest: () => shownMessage(assertPresent([...fake.messages.values()].at(-1), "a message")),
      arrived: () => fake.messages.size,
      deleteAll: () => fake.messages.clear(),
      takeDown: () => {
        fake.trouble = () => ({ status: 503 });
      },
    };
  });

  deliveriesContract(() => {
    const { service, fake, settle } = harness;
    return {
      service,
      settle,
      deliveriesOf: (name) => deliveriesAmong(fake.messagesIn(fake.dmOf(slackId(name)))),
      deliveriesInChannel: () => deliveriesAmong(fake.messagesIn("C0PAIR")),
      deleteDeliveriesOf: (name) => {
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
