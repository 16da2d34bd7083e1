import { assertNever } from "../../../core/values/assert.ts";
import type { Home, HomeEntry, HomeSection } from "../../conversation/home.ts";
import type { Reply } from "../../conversation/reply.ts";
import type { Card } from "../../../service/views/card.ts";
import type { CredentialTarget, CredentialView } from "../../../service/views/request-view.ts";
import { accessLine, cardText } from "../../../wording/card-text.ts";
import type { Line } from "../../../wording/line.ts";
import type { MenuAction } from "../../../wording/labels.ts";
import {
  adaptiveCard,
  bytesOf,
  contentBytesMax,
  type AdaptiveCard,
  type Button,
  type Container,
  type Element,
} from "./adaptive-card.ts";
import {
  buttonsMax,
  cardButton,
  menuButton,
  nextPageButton,
  openButton,
  type CardContext,
} from "./buttons.ts";
import { requestCard, requestIdRow, textCard } from "./cards.ts";
import { quotationElements } from "./quotation.ts";
import { emptyForm, formCard, type FormState } from "./dialogs.ts";
import { plainLines, richText, run } from "./text.ts";

const cardsMax = 10;

/**
 * A reply as a card, for one person's eyes. The secret is laid out in a dialog only; anywhere else its place is taken
 * by the button that opens one.
 */
export function replyCard(reply: Reply, cardContext: CardContext, form: FormState = emptyForm): AdaptiveCard {
  switch (reply.kind) {
    case "text":
      return linesCard(reply.lines, reply.buttons, cardContext);
    case "card":
      return requestCard(reply.card, { cardContext, lead: reply.lead });
    case "cards":
      return listCard(reply.lines, reply.cards, reply.buttons, cardContext);
    case "dialog":
      return formCard(reply.dialog, cardContext, form);
    case "home":
      return homeCard(reply.home, cardContext);
    case "details":
      return detailsCard(reply, cardContext);
    case "credential":
      return cardContext === "dialog" ? credentialCard(reply) : withheldCard(reply, cardContext);
    case "preparing":
      return adaptiveCard({
        fallbackText: plainLines(reply.lines),
        body: [...reply.lines.map((line) => richText(line)), requestIdRow(reply.request.id)],
        actions: [showButton(reply.request, cardContext)],
      });
    case "refused":
      return refusedCard(reply, cardContext);
    case "errors":
      return linesCard(
        reply.errors.map(({ message }): Line => [{ literal: message }]),
        [],
        cardContext,
      );
    default:
      return assertNever(reply);
  }
}

/** What was typed stands above the truth about the request, as a quotation. */
function refusedCard(
  { lines, card, buttons, typed = [] }: Extract<Reply, { kind: "refused" }>,
  cardContext: CardContext,
): AdaptiveCard {
  const no =
    card === null ? linesCard(lines, buttons, cardContext) : requestCard(card, { cardContext, lead: lines });
  const quoted = typed.flatMap((one) => quotationElements(one));
  return { ...no, body: [...no.body, ...quoted] };
}

function linesCard(
  lines: readonly Line[],
  buttons: readonly MenuAction[],
  cardContext: CardContext,
): AdaptiveCard {
  return adaptiveCard({
    fallbackText: plainLines(lines),
    body: lines.map((line) => richText(line)),
    actions: menuButtons(buttons, cardContext),
  });
}

function menuButtons(buttons: readonly MenuAction[], cardContext: CardContext): readonly Button[] {
  return buttons.slice(0, buttonsMax).map((action) => menuButton(action, cardContext));
}

/** As many as fit; `lines` says how many there are. */
function listCard(
  lines: readonly Line[],
  cards: readonly Card[],
  buttons: readonly MenuAction[],
  cardContext: CardContext,
): AdaptiveCard {
  return shortened(Math.min(cards.length, cardsMax), (count) =>
    adaptiveCard({
      fallbackText: plainLines(lines),
      body: [...lines.map((line) => richText(line)), ...cards.slice(0, count).map((card) => listEntry(card))],
      actions: menuButtons(buttons, cardContext),
    }),
  );
}

/** As many entries as fit. */
function homeCard({ lead, sections, buttons, nextPage }: Home, cardContext: CardContext): AdaptiveCard {
  return shortened(cardsMax, (count) =>
    adaptiveCard({
      fallbackText: plainLines(lead),
      body: [
        ...lead.map((line) => richText(line)),
        ...sections.flatMap((section) => sectionElements(section, count, cardContext)),
      ],
      actions: [
        ...menuButtons(buttons, cardContext),
        ...(nextPage === null ? [] : [nextPageButton(nextPage, cardContext)]),
      ],
    }),
  );
}

function sectionElements(
  { title, entries, isCut, empty }: HomeSection,
  count: number,
  cardContext: CardContext,
): readonly Element[] {
  const shown = entries.slice(0, count);
  return [
    { type: "TextBlock", text: title, wrap: true, size: "Medium", weight: "Bolder" },
    ...shown.map((one) => homeEntry(one, cardContext)),
    ...(entries.length === 0 ? [richText([empty], { isSubtle: true })] : []),
    ...(isCut || shown.length < entries.length ? [richText(["… and more"], { isSubtle: true })] : []),
  ];
}

/**
 * One request of the home: what it is and how it stands. Nobody keeps the home true, so what can be done about a request
 * is offered on its card only.
 */
function homeEntry({ line, card }: HomeEntry, cardContext: CardContext): Element {
  const text = cardText(card);
  const hasMore = card.actions.length > 0;
  return {
    type: "Container",
    separator: true,
    spacing: "Small",
    items: [
      richText(line, { weight: "Bolder" }),
      richText(text.status, {}, "None"),
      requestIdRow(text.requestId),
      ...(hasMore ? [{ type: "ActionSet", actions: [openButton(text, cardContext)] } satisfies Element] : []),
    ],
  };
}

/** One request of a list: nobody keeps a list true, so it has no buttons. */
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
  cardContext: CardContext,
): AdaptiveCard {
  const text = cardText(card);
  const actions = text.actions.filter((action) => action !== "details");
  return textCard({ ...text, actions }, { cardContext, kind: "details", more: { lines, quotations } });
}

function credentialCard({
  credential,
  request,
  lines,
}: Extract<Reply, { kind: "credential" }>): AdaptiveCard {
  return adaptiveCard({
    fallbackText: "The credential cannot be shown by this version of Teams.",
    body: [...lines.map((line) => richText(line)), ...secretElements(credential), requestIdRow(request.id)],
    actions: [],
  });
}

/** The token, then what each target gave. Secrets are in letters that cannot be confused. */
function secretElements({ token, targets }: CredentialView): readonly Element[] {
  return [secretBox("Credential", [["", token]]), ...targets.map((target) => targetBox(target))];
}

function targetBox({
  connector,
  kind,
  where,
  username,
  secret,
  command,
  problem,
}: CredentialTarget): Element {
  const rows: readonly Row[] = [
    ["at", where],
    ["as", username],
    ["with", secret],
    ["try", command],
  ];
  const box = secretBox(`${connector} (${kind})`, rows);
  return problem === undefined ? box : { ...box, items: [...box.items, richText([{ literal: problem }])] };
}

type Row = readonly [label: string, value: string | null];

function secretBox(title: string, rows: readonly Row[]): Container {
  return {
    type: "Container",
    style: "emphasis",
    spacing: "Small",
    items: [
      { type: "RichTextBlock", inlines: [run(title, { isSubtle: true })] },
      ...rows.flatMap(([label, value]) => (value === null ? [] : secretRows(label, value))),
    ],
  };
}

/** Line by line, for a certificate is made of lines. */
function secretRows(label: string, value: string): readonly Element[] {
  return value.split("\n").map((line, at) => ({
    type: "RichTextBlock",
    inlines: [
      ...(label === "" || at > 0 ? [] : [run(`${label} `, { isSubtle: true })]),
      { type: "TextRun", text: line === "" ? " " : line, fontType: "Monospace" },
    ],
    spacing: "None",
  }));
}

/** The claim has been made, so the secret is gone for good; a new one takes its place at a press. */
function withheldCard(
  { request }: Extract<Reply, { kind: "credential" }>,
  cardContext: CardContext,
): AdaptiveCard {
  return adaptiveCard({
    fallbackText: "The credential is shown in a dialog only.",
    body: [
      richText(["The credential is shown in a dialog only. Press Replace credential."]),
      requestIdRow(request.id),
    ],
    actions: [
      cardButton("replace_credential", { requestId: request.id, revision: request.revision }, cardContext),
    ],
  });
}

function showButton(
  request: { readonly id: string; readonly revision: string },
  cardContext: CardContext,
): Button {
  return cardButton("show_credential", { requestId: request.id, revision: request.revision }, cardContext);
}

/** The card with as many entries as Teams takes. */
function shortened(most: number, cardOf: (count: number) => AdaptiveCard): AdaptiveCard {
  let card = cardOf(most);
  for (let count = most - 1; count >= 0 && bytesOf(card) >= contentBytesMax; count--) card = cardOf(count);
  return card;
}
