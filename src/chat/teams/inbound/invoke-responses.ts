import { cardContentType } from "../views/adaptive-card.ts";
import type { AdaptiveCard } from "../views/adaptive-card.ts";
import type { CardContext } from "../views/buttons.ts";
import type { ActionResult } from "./card-actions.ts";
import { replyCard } from "../views/replies.ts";
import { plainLines } from "../views/text.ts";
const messageContentType = "application/vnd.microsoft.activity.message";
const searchContentType = "application/vnd.microsoft.search.searchResponse";

/** A card in an outcome's words, for where it will be seen. */
export function outcomeCard({ reply, form }: ActionResult, cardContext: CardContext): AdaptiveCard {
  return replyCard(reply, cardContext, form);
}

/** What a pressed button is answered with: the card that takes the other's place, or a sentence beside it. */
export function executeAnswer(outcome: ActionResult): object {
  const { reply } = outcome;
  const isBareNo =
    reply.kind === "refused" &&
    reply.card === null &&
    reply.buttons.length === 0 &&
    reply.typed === undefined;
  return isBareNo
    ? { statusCode: 200, type: messageContentType, value: plainLines(reply.lines) }
    : { statusCode: 200, type: cardContentType, value: outcomeCard(outcome, "message") };
}

/** A page of a dialog. */
export function dialogAnswer(outcome: ActionResult): object {
  const { reply } = outcome;
  const card = { contentType: cardContentType, content: outcomeCard(outcome, "dialog") };
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

/** Entries that were found while somebody types. */
export function searchAnswer(results: readonly { readonly title: string; readonly value: string }[]): object {
  return { statusCode: 200, type: searchContentType, value: { results } };
}
