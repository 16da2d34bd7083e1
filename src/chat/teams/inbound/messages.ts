import type { Reply } from "../../conversation/reply.ts";
import type { Caller } from "../../../service/ports/caller.ts";
import type { Activity } from "../connection/activity.ts";
import { emptyForm } from "../views/dialogs.ts";
import type { InboundDeps } from "./inbound-deps.ts";
import { brokenReply } from "./invokes.ts";
import { formOf, replyToUnlinked, type ActionResult } from "./card-actions.ts";

/** What is written to us: in our own chat, and where we are mentioned in groups and channels. */
export function createMessages(deps: InboundDeps): (activity: Activity) => Promise<void> {
  return async (activity) => {
    const { outcome, caller } = await answerTo(deps, activity);
    // Answered once the call is: sending must not hold it up.
    deps.background.start(() => deps.responder.answer(activity, outcome, caller));
  };
}

async function answerTo(
  { chat, people, onFault }: InboundDeps,
  activity: Activity,
): Promise<{ readonly outcome: ActionResult; readonly caller?: Caller }> {
  const text = typedText(activity.text ?? "");
  try {
    const sender = await people.senderOf(activity);
    if (sender.kind !== "known") return { outcome: alone(await replyToUnlinked(chat, sender, text)) };
    const { caller } = sender;
    const reply = await chat.run(caller, text);
    const outcome =
      reply.kind === "dialog" ? { reply, form: await formOf(chat, caller, reply.dialog, {}) } : alone(reply);
    return { outcome, caller };
  } catch (error) {
    onFault(error);
    return { outcome: alone(brokenReply(error)) };
  }
}

function alone(reply: Reply): ActionResult {
  return { reply, form: emptyForm };
}

/** Without the mention that brought it to us, and with plain spaces. */
export function typedText(text: string): string {
  return text
    .replaceAll(/<at[^>]{0,200}>[^<]{0,200}<\/at>/g, " ")
    .replaceAll(/&nbsp;|\u00A0/g, " ")
    .trim();
}
