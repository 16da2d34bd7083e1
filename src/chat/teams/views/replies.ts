import { assertNever } from "../../../core/values/assert.ts";
import type { Reply } from "../../conversation/reply.ts";
import type { Card } from "../../../service/views/card.ts";
import { accessLine, cardText } from "../../../wording/card-text.ts";
import type { Line } from "../../../wording/line.ts";
import type { MenuAction } from "../../../wording/labels.ts";
import {
  adaptiveCard,
  cardWithEntries,
  type AdaptiveCard,
  type Button,
  type Element,
} from "./adaptive-card.ts";
import { cardButton, menuButtons, type CardPlacement } from "./buttons.ts";
import { requestCard, requestIdRow, textCard } from "./cards.ts";
import { quotationElements } from "./quotation.ts";
import { credentialCard, withheldCard } from "./credential-view.ts";
import { emptyForm, dialogCard, type FormState } from "./dialogs.ts";
import { homeCard } from "./home-view.ts";
import { plainLines, richText } from "./text.ts";

const cardsMax = 10;

/**
 * A reply as a card, for one person. Only a dialog shows the secret; elsewhere its place is taken by the button that
 * opens a dialog.
 */
export function replyCard(reply: Reply, placement: CardPlacement, form: FormState = emptyForm): AdaptiveCard {
  switch (reply.kind) {
    case "text":
      return linesCard(reply.lines, reply.buttons, placement);
    case "card":
      return requestCard(reply.card, { placement, lead: reply.lead });
    case "cards":
      return listCard(reply.lines, reply.cards, reply.buttons, placement);
    case "dialog":
      return dialogCard(reply.dialog, placement, form);
    case "home":
      return homeCard(reply.home, placement);
    case "details":
      return detailsCard(reply, placement);
    case "credential":
      return placement === "dialog" ? credentialCard(reply) : withheldCard(reply, placement);
    case "preparing":
      return adaptiveCard({
        fallbackText: plainLines(reply.lines),
        body: [...reply.lines.map((line) => richText(line)), requestIdRow(reply.request.id)],
        actions: [showButton(reply.request, placement)],
      });
    case "refused":
      return refusedCard(reply, placement);
    case "errors":
      return linesCard(
        reply.errors.map(({ message }): Line => [{ literal: message }]),
        [],
        placement,
      );
    default:
      return assertNever(reply);
  }
}

/** The refusal with the current card, and with the text that was typed as a quotation. */
function refusedCard(
  { lines, card, buttons, typed = [] }: Extract<Reply, { kind: "refused" }>,
  placement: CardPlacement,
): AdaptiveCard {
  const no =
    card === null ? linesCard(lines, buttons, placement) : requestCard(card, { placement, lead: lines });
  const quoted = typed.flatMap((one) => quotationElements(one));
  return { ...no, body: [...no.body, ...quoted] };
}

function linesCard(
  lines: readonly Line[],
  buttons: readonly MenuAction[],
  placement: CardPlacement,
): AdaptiveCard {
  return adaptiveCard({
    fallbackText: plainLines(lines),
    body: lines.map((line) => richText(line)),
    actions: menuButtons(buttons, placement),
  });
}

/** A list with as many requests as fit; `lines` says how many there are. */
function listCard(
  lines: readonly Line[],
  cards: readonly Card[],
  buttons: readonly MenuAction[],
  placement: CardPlacement,
): AdaptiveCard {
  return cardWithEntries(Math.min(cards.length, cardsMax), (count) =>
    adaptiveCard({
      fallbackText: plainLines(lines),
      body: [...lines.map((line) => richText(line)), ...cards.slice(0, count).map((card) => listEntry(card))],
      actions: menuButtons(buttons, placement),
    }),
  );
}

/** One request of a list. It has no buttons, because lists are not kept up to date. */
function listEntry(card: Card): Element {
  const text = cardText(card);
  return {
    type: "Container",
    separator: true,
    spacing: "Small",
    items: [
      richText(text.heading, { weight: "Bolder" }),
      richText(accessLine(card), {}, "None"),
      richText(text.status, {}, "None"),
      requestIdRow(text.requestId),
    ],
  };
}

function detailsCard(
  { card, lines, quotations }: Extract<Reply, { kind: "details" }>,
  placement: CardPlacement,
): AdaptiveCard {
  const text = cardText(card);
  const actions = text.actions.filter((action) => action !== "details");
  return textCard({ ...text, actions }, { placement, kind: "details", more: { lines, quotations } });
}

function showButton(
  request: { readonly id: string; readonly revision: string },
  placement: CardPlacement,
): Button {
  return cardButton("show_credential", { requestId: request.id, revision: request.revision }, placement);
}
