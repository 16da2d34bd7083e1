import type { Reply } from "../../conversation/reply.ts";
import type { Caller } from "../../../service/ports/caller.ts";
import type { CardService } from "../../../service/requests/card-source.ts";
import { conversationIdOf, isPersonal, type Activity } from "../connection/activity.ts";

/** A message in a personal chat. */
export interface PostedMessage {
  readonly serviceUrl: string;
  readonly conversation: string;
  readonly activity: string;
}

/** Records answers that show a request's card as deliveries, so that the relay keeps their buttons up to date. */
export interface RecordedAnswers {
  /** Records a message with buttons that was posted as an answer, if it is about a request. */
  recordPosted(activity: Activity, reply: Reply, caller: Caller, message: PostedMessage): Promise<void>;
  /** Records the message whose button was pressed, if only its presser sees it: the card replaces it. */
  recordPressed(activity: Activity, reply: Reply, caller: Caller): Promise<void>;
}

export function createRecordedAnswers(cards: Pick<CardService, "recordAnswer">): RecordedAnswers {
  const recordPosted: RecordedAnswers["recordPosted"] = async ({ from }, reply, caller, message) => {
    const requestId = requestAbout(reply);
    if (requestId === undefined) return;
    await cards.recordAnswer(caller, requestId, {
      surface: "teams",
      address: `person:${from?.aadObjectId ?? ""}`,
      ref: JSON.stringify({ ...message, user: from?.id ?? null }),
      isForm: reply.kind === "dialog",
    });
  };
  return {
    recordPosted,
    async recordPressed(activity, reply, caller) {
      const message = pressedMessage(activity);
      if (message !== undefined) await recordPosted(activity, reply, caller, message);
    },
  };
}

/** The request that the buttons of an answer are about; undefined: they start something new. */
function requestAbout(reply: Reply): string | undefined {
  if (reply.kind === "dialog") return reply.dialog.ref.requestId ?? undefined;
  return reply.kind === "card" ? reply.card.request.id : undefined;
}

/** The message whose button was pressed; undefined when others see it too. */
export function pressedMessage({ conversation, serviceUrl, replyToId }: Activity): PostedMessage | undefined {
  if (conversation === undefined || !isPersonal(conversation) || serviceUrl === undefined) return undefined;
  if (replyToId === undefined || replyToId === null) return undefined;
  return { serviceUrl, conversation: conversationIdOf(conversation.id), activity: replyToId };
}
