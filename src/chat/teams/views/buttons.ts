import type { CardAction } from "../../../service/views/card.ts";
import {
  menuLabels,
  noteLabels,
  showMoreLabel,
  type MenuAction,
  type NoteAction,
} from "../../../wording/labels.ts";
import type { Button, ButtonData, ButtonStyle } from "./adaptive-card.ts";

/** Where a card is shown, which decides how its buttons work. */
export type CardContext = "message" | "dialog";

/** Teams' card library shows no more. */
export const buttonsMax = 5;

/** The request a button is about, at the terms its reader saw. */
export interface About {
  readonly requestId: string;
  readonly revision: string;
}

/** Carries the request and its revision and nothing else: what may be done is decided when it is pressed. */
export function cardButton(
  action: CardAction,
  { requestId, revision }: About,
  cardContext: CardContext,
): Button {
  const data = { verb: `card:${action}`, request: requestId, revision };
  // The secret is only ever in a dialog's answer, so a message's button has to open one.
  if (cardContext === "message" && isSecret(action)) {
    const opening = { ...data, msteams: { type: "task/fetch" } } as const;
    return { type: "Action.Submit", title: noteLabels[action], data: opening, ...styled(action) };
  }
  return button(noteLabels[action], data, cardContext, styleOf(action));
}

/** Of a request among others: its card takes the place of the message and is kept true from then on. */
export const openVerb = "card:open";

export function openButton({ requestId, revision }: About, cardContext: CardContext): Button {
  return button(noteLabels.details, { verb: openVerb, request: requestId, revision }, cardContext);
}

/** Shows the next page of the home in place of this one. */
export function nextPageButton(page: number, cardContext: CardContext): Button {
  return button(showMoreLabel, { verb: `menu:home:${page}` }, cardContext);
}

export function menuButton(action: MenuAction, cardContext: CardContext): Button {
  return button(menuLabels[action], { verb: `menu:${action}` }, cardContext);
}

/** The two of a link card. `identityId` null: asks for it. */
export function linkButton(
  action: Extract<NoteAction, "link" | "link_other">,
  account: string,
  identityId: string | null,
): Button {
  const data = { verb: "link", account, ...(identityId !== null && { identity: identityId }) };
  return button(noteLabels[action], data, "message", action === "link" ? "positive" : undefined);
}

/** Any other: what it says, and what comes back. */
export function button(
  title: string,
  data: ButtonData,
  cardContext: CardContext,
  style?: ButtonStyle,
): Button {
  const look = style !== undefined && { style };
  return cardContext === "dialog"
    ? { type: "Action.Submit", title, data, ...look }
    : { type: "Action.Execute", title, verb: data.verb, data, ...look };
}

export function isSecret(action: CardAction): boolean {
  return action === "show_credential" || action === "replace_credential";
}

function styled(action: CardAction): { readonly style?: ButtonStyle } {
  const style = styleOf(action);
  return style === undefined ? {} : { style };
}

function styleOf(action: CardAction): ButtonStyle | undefined {
  if (action === "approve" || action === "show_credential" || action === "justified") return "positive";
  return action === "deny" || action === "revoke" || action === "not_justified" ? "destructive" : undefined;
}
