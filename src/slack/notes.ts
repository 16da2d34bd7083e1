import type { Card } from "../service/card.ts";
import type { Note } from "../service/messenger.ts";
import { cardText } from "../words/card-text.ts";
import type { NoteText } from "../words/note-text.ts";
import type { NoteAction } from "../words/labels.ts";
import { buttonRow, cardButton, contextBlock, linkButton, lineBlock, type Message } from "./cards.ts";
import { limits, mrkdwn } from "./text.ts";

/** A short message beside the card, with the buttons that matter now. */
export function noteMessage(text: NoteText, note: Note): Message {
  const heading = mrkdwn(text.heading, limits.section - 2);
  return {
    text: heading,
    blocks: [
      { type: "section", text: { type: "mrkdwn", text: `*${heading}*`, verbatim: true } },
      ...text.lines.map(lineBlock),
      ...buttonRow(text.actions.flatMap((action) => noteButton(action, note))),
    ],
  };
}

function noteButton(action: NoteAction, note: Note) {
  if (action === "link" || action === "link_other") {
    if (note.about !== "link") return [];
    const value = {
      account: note.account,
      identityId: action === "link" ? (note.candidate?.id ?? null) : null,
    };
    return [linkButton(action, JSON.stringify(value))];
  }
  if (note.about !== "request") return [];
  const { id, revision } = note.card.request;
  return [cardButton(action, id, revision, "note")];
}

/** What a note says once its button was pressed: how things stand, with nothing left to press. The card above has that. */
export function settledNote(card: Card): Message {
  const { heading, status, requestId } = cardText(card);
  const text = mrkdwn(heading, limits.section - 2);
  return {
    text,
    blocks: [
      { type: "section", text: { type: "mrkdwn", text: `*${text}*`, verbatim: true } },
      lineBlock(status),
      contextBlock(["Request ", requestId]),
    ],
  };
}
