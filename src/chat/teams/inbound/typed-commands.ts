import type { Caller } from "../../../service/ports/caller.ts";
import type { Activity } from "../connection/activity.ts";
import type { InboundDeps } from "./inbound-deps.ts";
import { formOf, resultOf, type ActionResult } from "./card-actions.ts";
import { errorReply, replyToUnknown } from "./refusal-replies.ts";

/** Messages to the bot: in the personal chat, and mentions in groups and channels. */
export function createTypedCommands(deps: InboundDeps): (activity: Activity) => Promise<void> {
  return async (activity) => {
    const { result, caller } = await answerTo(deps, activity);
    // Sends the answer in the background, so that Teams' call is answered at once.
    deps.backgroundTasks.start(() => deps.responder.answer(activity, result, caller));
  };
}

async function answerTo(
  { chat, people, onFault }: InboundDeps,
  activity: Activity,
): Promise<{ readonly result: ActionResult; readonly caller?: Caller }> {
  const text = typedText(activity.text ?? "");
  try {
    const sender = await people.senderOf(activity);
    if (sender.kind !== "known") return { result: resultOf(await replyToUnknown(chat, sender, text)) };
    const { caller } = sender;
    const reply = await chat.run(caller, text);
    const result =
      reply.kind === "dialog"
        ? { reply, form: await formOf(chat, caller, reply.dialog, {}) }
        : resultOf(reply);
    return { result, caller };
  } catch (error) {
    onFault(error);
    return { result: resultOf(errorReply(error)) };
  }
}

/** The text without the mention of the bot, and with plain spaces. */
export function typedText(text: string): string {
  return text
    .replaceAll(/<at[^>]{0,200}>[^<]{0,200}<\/at>/g, " ")
    .replaceAll(/&nbsp;|\u00A0/g, " ")
    .trim();
}
