import type { CardAction } from "../../../service/views/card.ts";
import {
  menuLabels,
  noteLabels,
  showMoreLabel,
  type MenuAction,
  type NoteAction,
} from "../../../wording/labels.ts";
import type { Button, ButtonData, ButtonStyle } from "./adaptive-card.ts";

/** Where a card is shown; this decides how its buttons work. */
export type CardPlacement = "message" | "dialog";

/** The card library of Teams shows no more. */
export const buttonsMax = 5;

/** The request a button is about, with the revision its reader saw. */
export interface About {
  readonly requestId: string;
  readonly revision: string;
}

/** A button that carries the request and its revision only. What it may do is decided when it is pressed. */
export function cardButton(
  action: CardAction,
  { requestId, revision }: About,
  placement: CardPlacement,
): Button {
  const data = { verb: `card:${action}`, request: requestId, revision };
  // Only a dialog may show the secret, so the button in a message opens one.
  if (placement === "message" && isSecret(action)) {
    const opening = { ...data, msteams: { type: "task/fetch" } } as const;
    return { type: "Action.Submit", title: noteLabels[action], data: opening, ...styleField(action) };
  }
  return button(noteLabels[action], data, placement, styleOf(action));
}

/** Opens a request of a list. Its card replaces the message and is kept up to date from then on. */
export const openVerb = "card:open";

export function openButton({ requestId, revision }: About, placement: CardPlacement): Button {
  return button(noteLabels.details, { verb: openVerb, request: requestId, revision }, placement);
}

/** Replaces this page of the home by the next one. */
export function nextPageButton(page: number, placement: CardPlacement): Button {
  return button(showMoreLabel, { verb: `menu:home:${page}` }, placement);
}

export function menuButton(action: MenuAction, placement: CardPlacement): Button {
  return button(menuLabels[action], { verb: `menu:${action}` }, placement);
}

export function menuButtons(buttons: readonly MenuAction[], placement: CardPlacement): readonly Button[] {
  return buttons.slice(0, buttonsMax).map((action) => menuButton(action, placement));
}

/** The two buttons of a link card. `identityId` null: the button opens a form that asks for it. */
export function linkButton(
  action: Extract<NoteAction, "link" | "link_other">,
  account: string,
  identityId: string | null,
): Button {
  const data = { verb: "link", account, ...(identityId !== null && { identity: identityId }) };
  return button(noteLabels[action], data, "message", action === "link" ? "positive" : undefined);
}

export function button(
  title: string,
  data: ButtonData,
  placement: CardPlacement,
  style?: ButtonStyle,
): Button {
  const styled = style !== undefined && { style };
  return placement === "dialog"
    ? { type: "Action.Submit", title, data, ...styled }
    : { type: "Action.Execute", title, verb: data.verb, data, ...styled };
}

export function isSecret(action: CardAction): boolean {
  return action === "show_credential" || action === "replace_credential";
}

function styleField(action: CardAction): { readonly style?: ButtonStyle } {
  const style = styleOf(action);
  return style === undefined ? {} : { style };
}

function styleOf(action: CardAction): ButtonStyle | undefined {
  if (action === "approve" || action === "show_credential" || action === "justified") return "positive";
  return action === "deny" || action === "revoke" || action === "not_justified" ? "destructive" : undefined;
}
