import type { Card } from "../service/card.ts";
import { cardText, type CardText, type Line } from "../words/card-text.ts";
import { adaptiveCard, bytesOf, cardBytesMax, type AdaptiveCard, type Element } from "./adaptive-card.ts";
import { buttonsMax, cardButton, type Place } from "./buttons.ts";
import { literal, plain, richText, run } from "./text.ts";

const factsMax = 12;
const wordsMax = 10;
/** Each of people's texts is shown at this length, or, where the whole would not fit, at the next. */
const wordsLengths = [2_000, 1_000, 400, 100] as const;
const rowsMax = 20;

/** The card of a request. `lead`: what has just happened to it, above. */
export function requestCard(card: Card, place: Place = "message", lead: readonly Line[] = []): AdaptiveCard {
  return textCard(cardText(card), place, lead);
}

/** The same from its words. */
export function textCard(text: CardText, place: Place, lead: readonly Line[] = []): AdaptiveCard {
  return fitting((length) =>
    adaptiveCard({
      fallbackText: `${plain(text.heading)} (${text.requestId})`,
      body: [...lead.map((line) => richText(line)), ...textElements(text, length)],
      actions: text.actions.slice(0, buttonsMax).map((action) => cardButton(action, text, place)),
    }),
  );
}

/** The longest that Teams takes. */
export function fitting(cardAt: (wordsLength: number) => AdaptiveCard): AdaptiveCard {
  const [longest, ...shorter] = wordsLengths;
  let card = cardAt(longest);
  for (const length of shorter) {
    if (bytesOf(card) < cardBytesMax) break;
    card = cardAt(length);
  }
  return card;
}

/** Our facts above, people's own words apart from them and below. */
export function textElements(text: CardText, wordsLength: number): readonly Element[] {
  return [
    richText(text.heading, { size: "Large", weight: "Bolder" }),
    ...text.facts.slice(0, factsMax).map(({ label, value }) => factRow(label, value)),
    ...text.words.slice(0, wordsMax).map(({ label, text: words }) => wordsBox(label, words, wordsLength)),
    richText(text.status, { weight: "Bolder" }, "Medium"),
    requestIdRow(text.requestId),
  ];
}

export function requestIdRow(requestId: string): Element {
  return { type: "TextBlock", text: `Request ${requestId}`, wrap: true, size: "Small", isSubtle: true };
}

function factRow(label: string, value: Line): Element {
  const { inlines } = richText(value);
  return {
    type: "RichTextBlock",
    inlines: [run(`${label}: `, { isSubtle: true }), ...inlines],
    spacing: "Small",
  };
}

/** What somebody wrote, line by line, in a box of its own. The label may hold a name. */
function wordsBox(label: string, words: string, length: number): Element {
  const rows = literal(words, length).split("\n");
  const shown =
    rows.length > rowsMax ? [...rows.slice(0, rowsMax - 1), rows.slice(rowsMax - 1).join(" ")] : rows;
  return {
    type: "Container",
    style: "emphasis",
    spacing: "Small",
    items: [
      { type: "RichTextBlock", inlines: [run(literal(label, 200), { isSubtle: true })] },
      ...shown.map((row): Element => ({
        type: "RichTextBlock",
        inlines: [run(row === "" ? " " : row)],
        spacing: "None",
      })),
    ],
  };
}
