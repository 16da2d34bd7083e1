import { conversationIdOf, isPersonal, type Activity } from "../connection/activity.ts";
import { emptyForm } from "../views/dialogs.ts";
import type { Handled, InboundDeps } from "./inbound-deps.ts";
import { replyToUnknown } from "./refusal-replies.ts";

/** Welcomes the person who added the app. In a team or group it says how policies name this conversation. */
export async function welcome(
  { chat, people, responder, backgroundTasks, onFault }: InboundDeps,
  activity: Activity,
): Promise<Handled> {
  const { conversation } = activity;
  if (conversation === undefined) return {};
  if (!isPersonal(conversation)) {
    backgroundTasks.start(() => responder.say(activity, sharedWelcome(conversation.id)));
    return {};
  }
  try {
    const sender = await people.senderOf(activity);
    const reply =
      sender.kind === "known" ? chat.welcome(sender.caller) : await replyToUnknown(chat, sender, "");
    backgroundTasks.start(() => responder.answer(activity, { reply, form: emptyForm }));
  } catch (error) {
    onFault(error);
  }
  return {};
}

function sharedWelcome(conversationId: string): string {
  return [
    "Access requests can be asked for and decided here.",
    "Mention me and write help; the answer goes to you alone, so add this app for yourself too.",
    `A policy or alert that is to be posted here names this place teams:${conversationIdOf(conversationId)}`,
  ].join(" ");
}
