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
import { buttonsMax, cardButton, type CardContext } from "./buttons.ts";
import { quotationElements } from "./quotation.ts";
import { inert, plainText, richText, run } from "./text.ts";

/** How a card is shown. */
export interface CardLook {
  readonly cardContext?: CardContext;
  /** What has just happened, above. */
  readonly lead?: readonly Line[];
  /** What else there is to say, below. */
  readonly more?: { readonly lines: readonly Line[]; readonly quotations: readonly Quotation[] };
  /** `details`: what *Details* shows, so that button is not on it. `note`: a message below the card. */
  readonly kind?: "card" | "note" | "details";
}

/** Each of people's other texts is shown at this length, or, where the whole would not fit, at the next. */
const wordsLengths = [2_000, 1_000, 400, 100] as const;
/** In a part of the card. */
const partReasonLength = 300;

/** The card of a request. */
export function requestCard(card: Card, look: CardLook = {}): AdaptiveCard {
  return textCard(cardText(card), look);
}

/**
 * The same from its words: all of it, or a part of it that does not offer to decide. What people wrote besides the
 * reason is shortened first, because nobody decides on that alone.
 */
export function textCard(text: CardText, look: CardLook = {}): AdaptiveCard {
  for (const length of wordsLengths) {
    const whole = cardOf(text, look, text.actions, wholeElements(text, look, length));
    if (bytesOf(whole) < contentBytesMax) return whole;
  }
  const actions = look.kind === "details" ? withoutDeciding(text.actions) : actionsOfPart(text.actions);
  return cardOf(text, look, actions, partElements(text, look, actions.includes("details")));
}

/** What *Details* itself cannot show whole is decided where it can be. */
function withoutDeciding(actions: readonly CardAction[]): readonly CardAction[] {
  return actions.filter((action) => !needsWholeCard.has(action));
}

function cardOf(
  text: CardText,
  { cardContext = "message" }: CardLook,
  actions: readonly CardAction[],
  body: readonly Element[],
): AdaptiveCard {
  return adaptiveCard({
    fallbackText: `${plainText(text.push)} (${text.requestId})`,
    body,
    actions: actions.slice(0, buttonsMax).map((action) => cardButton(action, text, cardContext)),
  });
}

function wholeElements(text: CardText, look: CardLook, wordsLength: number): readonly Element[] {
  const { lines = [], quotations = [] } = look.more ?? {};
  return [
    ...headingElements(text, look),
    ...accessElements(text.access),
    ...text.terms.map(factRow),
    ...quotationElements(text.reason),
    ...text.facts.map(factRow),
    ...[...text.words, ...quotations].flatMap((one) => quotationElements(one, wordsLength)),
    ...lines.map((line) => richText(line, {}, "Small")),
    ...endElements(text),
  ];
}

function partElements(text: CardText, look: CardLook, hasDetails: boolean): readonly Element[] {
  const { access } = text;
  const shown = scopesOfPart(access.scopes);
  const hint = hasDetails
    ? "Not all of it fits here. Press Details to read all of it, and to decide."
    : `Not all of it fits into a card. Read all of it and decide with jit approve ${text.requestId}.`;
  return [
    ...headingElements(text, look),
    ...accessElements({ ...access, scopes: shown }),
    richText([`${access.scopes.length - shown.length} more of ${access.scopes.length} scopes. ${hint}`]),
    ...text.terms.map(factRow),
    ...quotationElements(text.reason, partReasonLength),
    ...text.facts.map(factRow),
    ...endElements(text),
  ];
}

function headingElements({ heading }: CardText, { lead = [], kind = "card" }: CardLook): readonly Element[] {
  return [
    ...lead.map((line) => richText(line)),
    richText(heading, { size: kind === "note" ? "Medium" : "Large", weight: "Bolder" }),
  ];
}

/** Every scope, one a row. */
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
