import type { Button, ContextBlock, KnownBlock, SectionBlock } from "@slack/types";
import type { CardAction } from "../../../service/views/card.ts";
import type { Line } from "../../../wording/line.ts";
import {
  menuLabels,
  noteLabels,
  showMoreLabel,
  type MenuAction,
  type NoteAction,
} from "../../../wording/labels.ts";
import { cutTo } from "../../../wording/escape-invisible.ts";
import { limits, mrkdwn } from "./text.ts";

const buttonsMax = 5;

export function lineBlock(line: Line): SectionBlock {
  return { type: "section", text: { type: "mrkdwn", text: mrkdwn(line) || "–", verbatim: true } };
}

export function boldBlock(line: Line): SectionBlock {
  const text = mrkdwn(line, limits.section - 2) || "–";
  return { type: "section", text: { type: "mrkdwn", text: `*${text}*`, verbatim: true } };
}

export function contextBlock(line: Line): ContextBlock {
  return {
    type: "context",
    elements: [{ type: "mrkdwn", text: mrkdwn(line, limits.field) || "–", verbatim: true }],
  };
}

/** The value of a button: the request and the revision its reader saw. */
export function buttonValue(requestId: string, revision: string): string {
  return `${requestId} ${revision}`;
}

/** `on`: a card, which is kept up to date, or a note below it, which loses its buttons at the press. */
export function cardButton(
  action: CardAction,
  requestId: string,
  revision: string,
  on: "card" | "note" = "card",
): Button {
  return button(`${on}:${action}`, noteLabels[action], buttonValue(requestId, revision), styleOf(action));
}

/** Shows the next page of the home. */
export function nextPageButton(page: number): Button {
  return button(`menu:home:${page}`, showMoreLabel, "home", undefined);
}

export function menuButton(action: MenuAction): Button {
  return button(`menu:${action}`, menuLabels[action], action, undefined);
}

/** The two buttons of a link card; `value` is the account and the person, as JSON. */
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
