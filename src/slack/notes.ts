import type { Note } from "../service/messenger.ts";
import type { NoteText } from "../words/note-text.ts";
import type { NoteAction } from "../words/labels.ts";
import { buttonRow, cardButton, linkButton, lineBlock, type Message } from "./cards.ts";
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
  return [cardButton(action, id, revision)];
}
