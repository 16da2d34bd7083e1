import type { HomeView, KnownBlock } from "@slack/types";
import type { Home, HomeEntry } from "../../conversation/home.ts";
import { actionsOfPart, needsWholeCard } from "../../../service/views/card.ts";
import { cardText } from "../../../wording/card-text.ts";
import { buttonRow, cardButton, contextBlock, lineBlock, menuButton, nextPageButton } from "./buttons.ts";
import { accessBlocks } from "./card-blocks.ts";
import { plainTextElement } from "./dialogs.ts";
import { quotationBlocks } from "./quotation.ts";
import { limits } from "./text.ts";

/** The App Home of a person. */
export function homeView(home: Home): HomeView {
  return { type: "home", blocks: homeBlocks(home) };
}

/** The blocks of a home, also for a modal. */
export function homeBlocks(home: Home): KnownBlock[] {
  const top = [...home.lead.map(lineBlock), ...buttonRow(home.buttons.map(menuButton))];
  const short = home.sections.flatMap(({ entries }) => entries.flatMap(shortEntry));
  const frame = home.sections.length * 3;
  let blocksLeft = limits.viewBlocks - top.length - short.length - frame;
  const entryBlocks = (entry: HomeEntry): KnownBlock[] => {
    const brief = shortEntry(entry);
    const complete = completeEntry(entry);
    const additional = complete.length - brief.length;
    if (additional > blocksLeft) return brief;
    blocksLeft -= Math.max(0, additional);
    return complete;
  };
  const sections = home.sections.flatMap((section): KnownBlock[] => [
    { type: "header", text: plainTextElement(section.title, limits.header) },
    ...(section.entries.length === 0 ? [contextBlock([section.empty])] : []),
    ...section.entries.flatMap(entryBlocks),
    ...(section.isCut ? [contextBlock(["There are more: press Show more."])] : []),
    { type: "divider" },
  ]);
  const next = home.nextPage === null ? [] : buttonRow([nextPageButton(home.nextPage)]);
  return [...[...top, ...sections].slice(0, limits.viewBlocks - next.length), ...next];
}

/** The access, the time left, and the actions that need no further reading. */
function shortEntry({ line, card }: HomeEntry): KnownBlock[] {
  const { id, revision } = card.request;
  return [
    lineBlock([...line, " · ", id]),
    ...buttonRow(actionsOfPart(card.actions).map((action) => cardButton(action, id, revision))),
  ];
}

/** An entry with every scope, the whole reason and the risk, if its reader can decide. */
function completeEntry(entry: HomeEntry): KnownBlock[] {
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
