import type { Note } from "../../../service/messaging/messenger.ts";
import type { NoteText } from "../../../wording/note-text.ts";
import type { NoteAction } from "../../../wording/labels.ts";
import { adaptiveCard, type AdaptiveCard, type Button } from "./adaptive-card.ts";
import { buttonsMax, cardButton, linkButton } from "./buttons.ts";
import { requestIdRow, textCard } from "./cards.ts";
import { quotationElements } from "./quotation.ts";
import { plainText, richText } from "./text.ts";

/** A note as a card: a few lines, or the whole request where its reader is asked to decide. */
export function noteCard(
  { heading, push, lines, quotations = [], card, actions }: NoteText,
  note: Note,
): AdaptiveCard {
  if (card !== undefined) return textCard(card, { kind: "note", more: { lines, quotations } });
  return adaptiveCard({
    fallbackText: plainText(push ?? heading),
    body: [
      richText(heading, { weight: "Bolder", size: "Medium" }),
      ...lines.map((line) => richText(line, {}, "Small")),
      ...quotations.flatMap((one) => quotationElements(one)),
      ...(note.about === "request" ? [requestIdRow(note.card.request.id)] : []),
    ],
    actions: actions.flatMap((action) => buttonOf(action, note)).slice(0, buttonsMax),
  });
}

function buttonOf(action: NoteAction, note: Note): readonly Button[] {
  if (action === "link" || action === "link_other") {
    if (note.about !== "link") return [];
    const candidate = action === "link" ? (note.candidate?.id ?? null) : null;
    return [linkButton(action, JSON.stringify(note.account), candidate)];
  }
  if (note.about !== "request") return [];
  const { id, revision } = note.card.request;
  return [cardButton(action, { requestId: id, revision }, "message")];
}
