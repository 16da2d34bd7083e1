import { afterEach, beforeEach, describe } from "vitest";
import { approvalPolicy, stageBy } from "../core/support/policies.ts";
import type { SlackMessage } from "../fakes/slack/fake-slack.ts";
import { copiesContract, type ShownCopy } from "../support/copies-contract.ts";
import { buttonsOf, slackId } from "./support/slack-doors.ts";
import { openSlackHouse, type SlackHouse } from "./support/slack-house.ts";

const policies = [
  approvalPolicy(
    "pair",
    { stages: [stageBy("group:dba", { required: 2 })], channels: ["slack:C0PAIR"] },
    { conditions: [{ type: "RESOURCE", operator: "STARTS_WITH", value: "pair:" }] },
  ),
];

/** Cards of requests, and not the news below or beside them. */
const copiesAmong = (messages: readonly SlackMessage[]): readonly ShownCopy[] =>
  messages
    .filter((one) => one.blocks[0]?.["type"] === "header")
    .map((one) => ({ words: JSON.stringify(one.blocks), buttons: buttonsOf(one) }));

describe("copies of a card in Slack", () => {
  let house: SlackHouse;
  beforeEach(async () => {
    house = await openSlackHouse(policies);
  });
  afterEach(async () => {
    await house.close();
  });

  copiesContract(() => {
    const { office, fake, settle } = house;
    return {
      office,
      settle,
      copiesOf: (name) => copiesAmong(fake.messagesIn(fake.dmOf(slackId(name)))),
      copiesInChannel: () => copiesAmong(fake.messagesIn("C0PAIR")),
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
