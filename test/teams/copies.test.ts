import { beforeEach, describe } from "vitest";
import { approvalPolicy, stageBy } from "../core/support/policies.ts";
import type { FakeCard } from "../fakes/teams/bot-framework.ts";
import { copiesContract, type ShownCopy } from "../support/copies-contract.ts";
import { channelId, introduced, teamsForEach } from "./support/teams-house.ts";
import { titles, wordsOn } from "./support/teams-users.ts";

const house = teamsForEach(() => [
  approvalPolicy(
    "pair",
    { stages: [stageBy("group:dba", { required: 2 })], channels: [`teams:${channelId}`] },
    { conditions: [{ type: "RESOURCE", operator: "STARTS_WITH", value: "pair:" }] },
  ),
]);

/** Cards of requests, and not the news beside them. */
const copiesAmong = (cards: readonly FakeCard[]): readonly ShownCopy[] =>
  cards
    .map((card) => ({ words: wordsOn(card), buttons: titles(card) }))
    .filter(({ words }) => words.includes("Access: "));

describe("copies of a card in Teams", () => {
  beforeEach(() => introduced(house()));

  copiesContract(() => {
    const { office, fake, settle, cardsOf, cardsIn } = house();
    return {
      office,
      settle,
      copiesOf: (name) => copiesAmong(cardsOf(name)),
      copiesInChannel: () => copiesAmong(cardsIn(channelId)),
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
