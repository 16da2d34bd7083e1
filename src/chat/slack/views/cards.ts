import type { KnownBlock } from "@slack/types";
import type { Card } from "../../../service/views/card.ts";
import { accessLine, cardText } from "../../../wording/card-text.ts";
import { boldBlock, contextBlock, lineBlock } from "./buttons.ts";
import { cardBlocks, type CardLayout } from "./card-blocks.ts";
import { withMentions } from "./mentions.ts";
import { mrkdwn } from "./text.ts";

/** A message: the text for notifications and old clients, and the blocks. */
export interface Message {
  readonly text: string;
  readonly blocks: KnownBlock[];
}

/** The card of a request as a Slack message. */
export function cardMessage(card: Card, layout: CardLayout = { kind: "card" }): Message {
  const text = cardText(card);
  return { text: mrkdwn(text.push), blocks: withMentions(cardBlocks(text, layout), card) };
}

/** A card in three blocks, for lists. They have no buttons, because lists are not kept up to date. */
export function briefBlocks(card: Card): KnownBlock[] {
  const { heading, status, requestId } = cardText(card);
  return [
    boldBlock(heading),
    lineBlock([...accessLine(card), " · ", ...status]),
    contextBlock(["Request ", requestId]),
  ];
}
