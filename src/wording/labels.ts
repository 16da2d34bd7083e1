import type { CardAction } from "../service/views/card.ts";

/** Button labels, the same on every surface. */
export const actionLabels: { readonly [Action in CardAction]: string } = {
  approve: "Approve",
  deny: "Deny",
  approve_for_less: "Approve for less…",
  details: "Details",
  revoke: "Revoke",
  cancel: "Cancel request",
  show_credential: "Show credential",
  replace_credential: "Replace credential",
  extend: "Extend",
  done: "I'm done",
  justified: "Justified",
  not_justified: "Not justified",
};

/** Buttons of notes: those of the card that matter now, or the two with which administrators link accounts. */
export type NoteAction = CardAction | "link" | "link_other";

export const noteLabels: { readonly [Action in NoteAction]: string } = {
  ...actionLabels,
  link: "Link",
  link_other: "Link to somebody else…",
};

/** Buttons of menus, which start something new. */
export const menuActions = ["request_access", "break_glass", "list", "home", "help", "ask_for_link"] as const;
export type MenuAction = (typeof menuActions)[number];

/** The label of the button that shows more of a truncated home page. */
export const showMoreLabel = "Show more";

/** Parses the page number of a button; anything else is page 1. */
export function pageOf(text: string | undefined): number {
  return text !== undefined && /^[1-9]\d?$/.test(text) ? Number(text) : 1;
}

export const menuLabels: { readonly [Action in MenuAction]: string } = {
  request_access: "Request access",
  break_glass: "Break glass",
  list: "My requests",
  home: "Home",
  help: "Help",
  ask_for_link: "Ask to be linked",
};
