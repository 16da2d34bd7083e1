import type { Button, ContextBlock, KnownBlock, SectionBlock } from "@slack/types";
import type { Card, CardAction } from "../service/card.ts";
import { accessLine, cardText, type CardText, type Line } from "../words/card-text.ts";
import { menuLabels, noteLabels, type MenuAction, type NoteAction } from "../words/labels.ts";
import { cutTo, visibleText } from "../words/visible-text.ts";
import { limits, mrkdwn, plain } from "./text.ts";

const fieldsMax = 10;
const buttonsMax = 5;

/** A message: what notifications and old clients show, and its blocks. */
export interface Message {
  readonly text: string;
  readonly blocks: KnownBlock[];
}

/** The card of a request as a Slack message. */
export function cardMessage(card: Card): Message {
  const text = cardText(card);
  return { text: mrkdwn(text.heading), blocks: cardBlocks(text) };
}

export function cardBlocks(text: CardText): KnownBlock[] {
  return [
    { type: "header", text: { type: "plain_text", text: plain(text.heading, limits.header), emoji: false } },
    ...factBlocks(text),
    ...text.words.slice(0, fieldsMax).map(({ label, text: words }) => wordsBlock(label, words)),
    lineBlock(text.status),
    contextBlock(["Request ", text.requestId]),
    ...buttonRow(text.actions.map((action) => cardButton(action, text.requestId, text.revision))),
  ];
}

/** The same in four blocks, for lists. */
export function briefBlocks(card: Card): KnownBlock[] {
  const { heading, status, requestId, revision, actions } = cardText(card);
  return [
    {
      type: "section",
      text: {
        type: "mrkdwn",
        text: `*${mrkdwn(heading, 500)}*\n${mrkdwn(accessLine(card), 2_000)}`,
        verbatim: true,
      },
    },
    lineBlock(status),
    contextBlock(["Request ", requestId]),
    ...buttonRow(actions.map((action) => cardButton(action, requestId, revision))),
  ];
}

function factBlocks({ facts }: CardText): KnownBlock[] {
  if (facts.length === 0) return [];
  return [
    {
      type: "section",
      fields: facts.slice(0, fieldsMax).map(({ label, value }) => ({
        type: "mrkdwn",
        text: `*${label}*\n${mrkdwn(value, limits.field - label.length - 3)}`,
        verbatim: true,
      })),
    },
  ];
}

/** People's own words: plain text, so that nothing in them can be anything else. */
function wordsBlock(label: string, words: string): SectionBlock {
  const text = cutTo(`${visibleText(label)}: ${visibleText(words)}`, limits.section);
  return { type: "section", text: { type: "plain_text", text, emoji: false } };
}

export function lineBlock(line: Line): SectionBlock {
  return { type: "section", text: { type: "mrkdwn", text: mrkdwn(line) || "–", verbatim: true } };
}

export function contextBlock(line: Line): ContextBlock {
  return {
    type: "context",
    elements: [{ type: "mrkdwn", text: mrkdwn(line, limits.field) || "–", verbatim: true }],
  };
}

/** What a pressed button says: the request and the revision it was shown at, and nothing else. */
export function buttonValue(requestId: string, revision: string): string {
  return `${requestId} ${revision}`;
}

/** `on`: a card, which is kept true, or a note below it, which is settled by the press. */
export function cardButton(
  action: CardAction,
  requestId: string,
  revision: string,
  on: "card" | "note" = "card",
): Button {
  return button(`${on}:${action}`, noteLabels[action], buttonValue(requestId, revision), styleOf(action));
}

export function menuButton(action: MenuAction): Button {
  return button(`menu:${action}`, menuLabels[action], action, undefined);
}

/** The two of a link card; `value` is the account and the person, as JSON. */
export function linkButton(action: Extract<NoteAction, "link" | "link_other">, value: string): Button {
  return button(
    action === "link" ? "account:link" : "account:link_other",
    noteLabels[action],
    value,
    undefined,
  );
}

function button(id: string, label: string, value: string, style: Button["style"]): Button {
  return {
    type: "button",
    action_id: id,
    text: { type: "plain_text", text: cutTo(label, limits.button), emoji: false },
    value,
    ...(style !== undefined && { style }),
  };
}

function styleOf(action: NoteAction): Button["style"] {
  if (action === "approve" || action === "show_credential" || action === "justified") return "primary";
  return action === "deny" || action === "revoke" || action === "not_justified" ? "danger" : undefined;
}

export function buttonRow(buttons: readonly Button[]): KnownBlock[] {
  return buttons.length === 0 ? [] : [{ type: "actions", elements: buttons.slice(0, buttonsMax) }];
}
