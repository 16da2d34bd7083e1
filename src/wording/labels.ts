import type { CardAction } from "../service/views/card.ts";

/** The words on buttons, the same wherever people meet them. */
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

/** Buttons a note may have: those of its card that matter now, or an administrator's two for linking. */
export type NoteAction = CardAction | "link" | "link_other";

export const noteLabels: { readonly [Action in NoteAction]: string } = {
  ...actionLabels,
  link: "Link",
  link_other: "Link to somebody else…",
};

/** Buttons that begin something new, beside those on cards. */
export const menuActions = ["request_access", "break_glass", "list", "home", "help", "ask_for_link"] as const;
export type MenuAction = (typeof menuActions)[number];

/** The button below a home that does not show all. */
export const showMoreLabel = "Show more";

/** A page as a button carries it; anything else is the first. */
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
