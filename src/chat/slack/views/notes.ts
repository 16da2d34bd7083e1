import type { NoticeKind } from "../../../core/effects/notices.ts";
import type { Card } from "../../../service/views/card.ts";
import type { Note } from "../../../service/messaging/messenger.ts";
import { noteText, type NoteText } from "../../../wording/note-text.ts";
import type { NoteAction } from "../../../wording/labels.ts";
import { boldBlock, buttonRow, cardButton, linkButton, lineBlock } from "./buttons.ts";
import { cardBlocks } from "./card-blocks.ts";
import type { Message } from "./cards.ts";
import { withMentions } from "./mentions.ts";
import { quotationBlocks } from "./quotation.ts";
import { limits, mrkdwn } from "./text.ts";

/** A message beside the card: short, or all of the request where its reader is asked to decide. */
export function noteMessage(text: NoteText, note: Note): Message {
  const blocks =
    text.card === undefined
      ? [
          boldBlock(text.heading),
          ...text.lines.map(lineBlock),
          ...(text.quotations ?? []).flatMap((one) => quotationBlocks(one)),
          ...buttonRow(text.actions.flatMap((action) => noteButton(action, note))),
        ]
      : cardBlocks(text.card, { kind: "note", more: { lines: text.lines, quotations: [] } });
  const isCalling = note.about === "request" && callingNotices.has(note.notice);
  return {
    text: mrkdwn(text.push ?? text.heading, limits.section - 2),
    blocks: isCalling ? withMentions(blocks, note.card) : blocks,
  };
}

/** News that ask the approvers for something. */
const callingNotices: ReadonlySet<NoticeKind> = new Set(["submitted", "reminder"]);

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
  const note: Note = { about: "request", notice: "submitted", card, isOver: true };
  return noteMessage(noteText(note), note);
}
