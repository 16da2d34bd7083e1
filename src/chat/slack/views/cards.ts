import type { KnownBlock } from "@slack/types";
import type { Card } from "../../../service/views/card.ts";
import { accessLine, cardText } from "../../../wording/card-text.ts";
import { boldBlock, contextBlock, lineBlock } from "./buttons.ts";
import { cardBlocks, type CardContext } from "./card-blocks.ts";
import { withMentions } from "./mentions.ts";
import { mrkdwn } from "./text.ts";

/** A message: what notifications and old clients show, and its blocks. */
export interface Message {
  readonly text: string;
  readonly blocks: KnownBlock[];
}

/** The card of a request as a Slack message. */
export function cardMessage(card: Card, cardContext: CardContext = { kind: "card" }): Message {
  const text = cardText(card);
  return { text: mrkdwn(text.push), blocks: withMentions(cardBlocks(text, cardContext), card) };
}

/** The same in three blocks, for lists. They are answers that nobody keeps true, so they have no buttons. */
export function briefBlocks(card: Card): KnownBlock[] {
  const { heading, status, requestId } = cardText(card);
  return [
    boldBlock(heading),
    lineBlock([...accessLine(card), " · ", ...status]),
    contextBlock(["Request ", requestId]),
  ];
}
