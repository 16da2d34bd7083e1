import type { HomeView, KnownBlock } from "@slack/types";
import type { Home, HomeEntry } from "../../conversation/home.ts";
import { actionsOfPart, needsWholeCard } from "../../../service/views/card.ts";
import { cardText } from "../../../wording/card-text.ts";
import { buttonRow, cardButton, contextBlock, lineBlock, menuButton, nextPageButton } from "./buttons.ts";
import { accessBlocks } from "./card-blocks.ts";
import { plainText } from "./dialogs.ts";
import { quotationBlocks } from "./quotation.ts";
import { limits } from "./text.ts";

/** App Home: what there is to do and what the person has. */
export function homeView(home: Home): HomeView {
  return { type: "home", blocks: homeBlocks(home) };
}

/** The same for a window. */
export function homeBlocks(home: Home): KnownBlock[] {
  const top = [...home.lead.map(lineBlock), ...buttonRow(home.buttons.map(menuButton))];
  const short = home.sections.flatMap(({ entries }) => entries.flatMap(shortEntry));
  const frame = home.sections.length * 3;
  let room = limits.viewBlocks - top.length - short.length - frame;
  const entryBlocks = (entry: HomeEntry): KnownBlock[] => {
    const brief = shortEntry(entry);
    const whole = wholeEntry(entry);
    const more = whole.length - brief.length;
    if (more > room) return brief;
    room -= Math.max(0, more);
    return whole;
  };
  const sections = home.sections.flatMap((section): KnownBlock[] => [
    { type: "header", text: plainText(section.title, limits.header) },
    ...(section.entries.length === 0 ? [contextBlock([section.empty])] : []),
    ...section.entries.flatMap(entryBlocks),
    ...(section.isCut ? [contextBlock(["There are more: press Show more."])] : []),
    { type: "divider" },
  ]);
  const next = home.nextPage === null ? [] : buttonRow([nextPageButton(home.nextPage)]);
  return [...[...top, ...sections].slice(0, limits.viewBlocks - next.length), ...next];
}

/** Which access, how long still, and what can be done without reading more. */
function shortEntry({ line, card }: HomeEntry): KnownBlock[] {
  const { id, revision } = card.request;
  return [
    lineBlock([...line, " · ", id]),
    ...buttonRow(actionsOfPart(card.actions).map((action) => cardButton(action, id, revision))),
  ];
}

/** With every scope, the whole reason and the risk, where the reader can decide. */
function wholeEntry(entry: HomeEntry): KnownBlock[] {
  const { line, card } = entry;
  if (!card.actions.some((action) => needsWholeCard.has(action))) return shortEntry(entry);
  const { access, reason, facts, requestId, revision } = cardText(card);
  return [
    lineBlock([...line, " · ", requestId]),
    ...accessBlocks(access),
    ...quotationBlocks(reason),
    ...facts.filter(({ label }) => label === "Risk").map(({ value }) => contextBlock(["Risk ", ...value])),
    ...buttonRow(card.actions.map((action) => cardButton(action, requestId, revision))),
  ];
}
