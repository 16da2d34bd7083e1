import { parseDialogRef } from "../../conversation/dialog.ts";
import { cardActions, type CardAction } from "../../../service/views/card.ts";
import type { ChatAccount } from "../../../service/messaging/messenger.ts";
import { menuActions, pageOf, type MenuAction } from "../../../wording/labels.ts";

/** The content of a pressed button. */
export type ActionPayload =
  /** `note`: the button of a note below a card, see `settledNote`. */
  | {
      readonly on: "card" | "note";
      readonly action: CardAction;
      readonly about: { readonly requestId: string; readonly revision: string };
    }
  | { readonly on: "menu"; readonly action: MenuAction; readonly page: number }
  /** An administrator's button on a link request; `identityId` null: a form asks for it. */
  | { readonly on: "account"; readonly account: ChatAccount; readonly identityId: string | null };

/** The action ids of all our buttons. Fields use another id, so that only one listener handles each action. */
export const buttonIds = /^(card|note|menu|account):/;

/** Undefined: not one of our buttons. */
export function parseActionPayload(actionId: string, value: string): ActionPayload | undefined {
  const [on = "", name = "", page] = actionId.split(":");
  if (on === "card" || on === "note") {
    const action = cardActions.find((one) => one === name);
    const [requestId = "", revision = ""] = value.split(" ");
    return action && { on, action, about: { requestId, revision } };
  }
  if (on === "menu") {
    const action = menuActions.find((one) => one === name);
    return action && { on, action, page: pageOf(page) };
  }
  return linkOf(value);
}

function linkOf(value: string): ActionPayload | undefined {
  const read = jsonObject(value);
  const ref = parseDialogRef(JSON.stringify({ ...read, id: "link", requestId: null, revision: null }));
  if (ref === undefined || ref.account === null) return undefined;
  const { identityId } = read;
  return {
    on: "account",
    account: ref.account,
    identityId: typeof identityId === "string" ? identityId : null,
  };
}

function jsonObject(text: string): { readonly [name: string]: unknown } {
  try {
    const read: unknown = JSON.parse(text);
    return typeof read === "object" && read !== null ? { ...read } : {};
  } catch {
    return {};
  }
}
