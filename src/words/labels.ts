import type { CardAction } from "../service/card.ts";

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
