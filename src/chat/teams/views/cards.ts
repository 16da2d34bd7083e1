import { actionsOfPart, needsWholeCard, type Card, type CardAction } from "../../../service/views/card.ts";
import {
  cardText,
  scopesOfPart,
  type AccessText,
  type CardText,
  type Fact,
} from "../../../wording/card-text.ts";
import type { Line } from "../../../wording/line.ts";
import type { Quotation } from "../../../wording/user-text.ts";
import { adaptiveCard, contentBytesMax, bytesOf, type AdaptiveCard, type Element } from "./adaptive-card.ts";
import { buttonsMax, cardButton, type CardPlacement } from "./buttons.ts";
import { quotationElements } from "./quotation.ts";
import { inert, plainText, richText, run } from "./text.ts";

/** How a card is laid out. */
export interface CardLayout {
  readonly placement?: CardPlacement;
  /** Lines above the card: what has just happened. */
  readonly lead?: readonly Line[];
  /** Additional content below the card. */
  readonly more?: { readonly lines: readonly Line[]; readonly quotations: readonly Quotation[] };
  /** `details`: shown by *Details*, so it lacks that button. `note`: a message below the card. */
  readonly kind?: "card" | "note" | "details";
}

/** Lengths of user texts besides the reason, tried in this order until the card fits. */
const wordsLengths = [2_000, 1_000, 400, 100] as const;
/** Length of the reason in a shortened card. */
const partReasonLength = 300;

export function requestCard(card: Card, layout: CardLayout = {}): AdaptiveCard {
  return textCard(cardText(card), layout);
}

/**
 * The card of a request from its text. User texts besides the reason are shortened first, because nobody decides on
 * those alone. If that is not enough, a shortened card is returned that does not offer to decide.
 */
export function textCard(text: CardText, layout: CardLayout = {}): AdaptiveCard {
  for (const length of wordsLengths) {
    const whole = cardOf(text, layout, text.actions, wholeElements(text, layout, length));
    if (bytesOf(whole) < contentBytesMax) return whole;
  }
  const actions = layout.kind === "details" ? withoutDeciding(text.actions) : actionsOfPart(text.actions);
  return cardOf(text, layout, actions, partElements(text, layout, actions.includes("details")));
}

/** If even *Details* cannot show everything, it does not offer to decide. */
function withoutDeciding(actions: readonly CardAction[]): readonly CardAction[] {
  return actions.filter((action) => !needsWholeCard.has(action));
}

function cardOf(
  text: CardText,
  { placement = "message" }: CardLayout,
  actions: readonly CardAction[],
  body: readonly Element[],
): AdaptiveCard {
  return adaptiveCard({
    fallbackText: `${plainText(text.push)} (${text.requestId})`,
    body,
    actions: actions.slice(0, buttonsMax).map((action) => cardButton(action, text, placement)),
  });
}

function wholeElements(text: CardText, layout: CardLayout, wordsLength: number): readonly Element[] {
  const { lines = [], quotations = [] } = layout.more ?? {};
  return [
    ...headingElements(text, layout),
    ...accessElements(text.access),
    ...text.terms.map(factRow),
    ...quotationElements(text.reason),
    ...text.facts.map(factRow),
    ...[...text.quotations, ...quotations].flatMap((one) => quotationElements(one, wordsLength)),
    ...lines.map((line) => richText(line, {}, "Small")),
    ...endElements(text),
  ];
}

function partElements(text: CardText, layout: CardLayout, hasDetails: boolean): readonly Element[] {
  const { access } = text;
  const shown = scopesOfPart(access.scopes);
  const hint = hasDetails
    ? "Not all of it fits here. Press Details to read all of it, and to decide."
    : `Not all of it fits into a card. Read all of it and decide with jit approve ${text.requestId}.`;
  return [
    ...headingElements(text, layout),
    ...accessElements({ ...access, scopes: shown }),
    richText([`${access.scopes.length - shown.length} more of ${access.scopes.length} scopes. ${hint}`]),
    ...text.terms.map(factRow),
    ...quotationElements(text.reason, partReasonLength),
    ...text.facts.map(factRow),
    ...endElements(text),
  ];
}

function headingElements(
  { heading }: CardText,
  { lead = [], kind = "card" }: CardLayout,
): readonly Element[] {
  return [
    ...lead.map((line) => richText(line)),
    richText(heading, { size: kind === "note" ? "Medium" : "Large", weight: "Bolder" }),
  ];
}

/** Every scope on a row of its own. */
export function accessElements({ catalogName, scopes }: AccessText): readonly Element[] {
  const [only] = scopes;
  if (catalogName === null && scopes.length === 1 && only !== undefined) {
    return [factRow({ label: "Access", value: [only] })];
  }
  return [
    factRow({
      label: "Access",
      value: catalogName === null ? [`${scopes.length} scopes`] : [{ userText: catalogName }],
    }),
    ...scopes.map((scope): Element => ({
      type: "RichTextBlock",
      inlines: [{ type: "TextRun", text: inert(scope), fontType: "Monospace" }],
      spacing: "None",
    })),
  ];
}

function endElements(text: CardText): readonly Element[] {
  return [richText(text.status, { weight: "Bolder" }, "Medium"), requestIdRow(text.requestId)];
}

export function requestIdRow(requestId: string): Element {
  return { type: "TextBlock", text: `Request ${requestId}`, wrap: true, size: "Small", isSubtle: true };
}

export function factRow({ label, value }: Fact): Element {
  const { inlines } = richText(value);
  return {
    type: "RichTextBlock",
    inlines: [run(`${label}: `, { isSubtle: true }), ...inlines],
    spacing: "Small",
  };
}
