import type { Refusal } from "../../../core/values/refusals.ts";
import { StoreUnavailable } from "../../../service/ports/store.ts";
import { refusalText } from "../../../wording/refusal-text.ts";
import type { Chat } from "../../conversation/chat.ts";
import type { Reply } from "../../conversation/reply.ts";
import type { Sender } from "../people/people.ts";
import type { ActionPayload } from "./action-payload.ts";

export function refusalReply(refusal: Refusal): Reply {
  return { kind: "refused", refusal, lines: refusalText(refusal, ""), card: null, buttons: [] };
}

export function malformedReply(): Reply {
  return refusalReply({ refused: "malformed", detail: "This button is not one of ours." });
}

/** The reply to a sender without an identity. The only thing they can do is ask to be linked. */
export async function replyToUnknown(
  chat: Chat,
  sender: Exclude<Sender, { kind: "known" }>,
  input: ActionPayload | string,
): Promise<Reply> {
  if (sender.kind === "refused") return refusalReply(sender.refusal);
  const typed = typeof input === "string" ? input : input.verb === "menu:ask_for_link" ? "link" : "";
  return chat.runUnlinked(sender.unlinkedUser, typed, sender.refusal);
}

/** The reply when handling failed; the log has the error. */
export function errorReply(error: unknown): Reply {
  if (error instanceof StoreUnavailable) {
    return refusalReply({
      refused: "store_unavailable",
      detail: "It cannot be decided right now; nothing was changed.",
    });
  }
  const line = "Something went wrong on our side; the log says more. Check the card before you try again.";
  return { kind: "text", lines: [[line]], buttons: [] };
}
