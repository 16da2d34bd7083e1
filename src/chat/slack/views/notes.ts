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

/** A note as a message: a few lines, or the whole request where its reader is asked to decide. */
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
  const hasMentions = note.about === "request" && mentioningNotices.has(note.notice);
  return {
    text: mrkdwn(text.push ?? text.heading, limits.section - 2),
    blocks: hasMentions ? withMentions(blocks, note.card) : blocks,
  };
}

/** Notices that ask the approvers to act. */
const mentioningNotices: ReadonlySet<NoticeKind> = new Set(["submitted", "reminder"]);

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

/** A note after its button was pressed: the current status, without buttons. The card above still has them. */
export function settledNote(card: Card): Message {
  const note: Note = { about: "request", notice: "submitted", card, isOver: true };
  return noteMessage(noteText(note), note);
}
