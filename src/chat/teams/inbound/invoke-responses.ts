import { cardContentType } from "../views/adaptive-card.ts";
import type { AdaptiveCard } from "../views/adaptive-card.ts";
import type { CardPlacement } from "../views/buttons.ts";
import type { ActionResult } from "./card-actions.ts";
import { replyCard } from "../views/replies.ts";
import { plainLines } from "../views/text.ts";

const messageContentType = "application/vnd.microsoft.activity.message";
const searchContentType = "application/vnd.microsoft.search.searchResponse";

/** The result of an action as a card. */
export function resultCard({ reply, form }: ActionResult, placement: CardPlacement): AdaptiveCard {
  return replyCard(reply, placement, form);
}

/** The answer to a pressed button: the card that replaces the pressed one, or a sentence beside it. */
export function executeAnswer(result: ActionResult): object {
  const { reply } = result;
  const isSentence =
    reply.kind === "refused" &&
    reply.card === null &&
    reply.buttons.length === 0 &&
    reply.typed === undefined;
  return isSentence
    ? { statusCode: 200, type: messageContentType, value: plainLines(reply.lines) }
    : { statusCode: 200, type: cardContentType, value: resultCard(result, "message") };
}

/** The next page of a dialog. */
export function dialogAnswer(result: ActionResult): object {
  const { reply } = result;
  const card = { contentType: cardContentType, content: resultCard(result, "dialog") };
  const title = reply.kind === "dialog" ? reply.dialog.title : titles[reply.kind];
  return { task: { type: "continue", value: { title, height: "large", width: "medium", card } } };
}

const titles = {
  text: "Access",
  card: "Request",
  cards: "Requests",
  home: "Home",
  details: "Details",
  credential: "Your credential",
  preparing: "Preparing…",
  refused: "Not possible",
  errors: "Not possible",
} as const;

/** Entries found by typing in a catalog field. */
export function searchAnswer(results: readonly { readonly title: string; readonly value: string }[]): object {
  return { statusCode: 200, type: searchContentType, value: { results } };
}
