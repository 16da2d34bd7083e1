import type { Home, HomeEntry, HomeSection } from "../../conversation/home.ts";
import { cardText } from "../../../wording/card-text.ts";
import { adaptiveCard, cardWithEntries, type AdaptiveCard, type Element } from "./adaptive-card.ts";
import { menuButtons, nextPageButton, openButton, type CardPlacement } from "./buttons.ts";
import { requestIdRow } from "./cards.ts";
import { plainLines, richText } from "./text.ts";

/** Entries of each section that are tried first. */
const entriesMax = 10;

/** The home with as many entries as fit. */
export function homeCard(
  { lead, sections, buttons, nextPage }: Home,
  placement: CardPlacement,
): AdaptiveCard {
  return cardWithEntries(entriesMax, (count) =>
    adaptiveCard({
      fallbackText: plainLines(lead),
      body: [
        ...lead.map((line) => richText(line)),
        ...sections.flatMap((section) => sectionElements(section, count, placement)),
      ],
      actions: [
        ...menuButtons(buttons, placement),
        ...(nextPage === null ? [] : [nextPageButton(nextPage, placement)]),
      ],
    }),
  );
}

function sectionElements(
  { title, entries, isCut, empty }: HomeSection,
  count: number,
  placement: CardPlacement,
): readonly Element[] {
  const shown = entries.slice(0, count);
  return [
    { type: "TextBlock", text: title, wrap: true, size: "Medium", weight: "Bolder" },
    ...shown.map((one) => homeEntry(one, placement)),
    ...(entries.length === 0 ? [richText([empty], { isSubtle: true })] : []),
    ...(isCut || shown.length < entries.length ? [richText(["… and more"], { isSubtle: true })] : []),
  ];
}

/**
 * One request of the home, with its status. The home is not kept up to date, so the actions of a request are offered on
 * its card only.
 */
function homeEntry({ line, card }: HomeEntry, placement: CardPlacement): Element {
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
      ...(hasMore ? [{ type: "ActionSet", actions: [openButton(text, placement)] } satisfies Element] : []),
    ],
  };
}
