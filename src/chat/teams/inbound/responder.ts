import type { Reply } from "../../conversation/reply.ts";
import { secondMs } from "../../../core/values/time.ts";
import type { Caller } from "../../../service/ports/caller.ts";
import { DeliveryFault } from "../../../service/messaging/messenger.ts";
import { isPersonal, type Activity } from "../connection/activity.ts";
import { adaptiveCard, refreshing, type AdaptiveCard, type ButtonData } from "../views/adaptive-card.ts";
import type { Background } from "./background-tasks.ts";
import { requestIdRow } from "../views/cards.ts";
import type { BotConnector } from "../connection/bot-connector.ts";
import type { Conversations } from "../people/conversation-references.ts";
import { deliveryFaultOf } from "../connection/delivery-faults.ts";
import { outcomeCard } from "./invoke-responses.ts";
import { cardActivity, textActivity } from "../outbound/message-activity.ts";
import type { SendRateLimiter } from "../outbound/rate-limit.ts";
import type { ActionResult } from "./card-actions.ts";
import { pressedMessage, type PostedMessage, type RecordedAnswers } from "./recorded-answers.ts";
import { plainLines, richText } from "../views/text.ts";

/** Answers to what people write. Each is for one person alone, so it goes into the chat between them and us. */
export interface Responder {
  answer(activity: Activity, outcome: ActionResult, caller?: Caller): Promise<void>;
  /** Says something where the activity came from, for everybody there. */
  say(activity: Activity, text: string): Promise<void>;
  /** Puts this card in the place of the message whose button was pressed, where that message is theirs alone. */
  replace(activity: Activity, card: AdaptiveCard): void;
}

export interface ResponderDeps {
  readonly connector: BotConnector;
  readonly conversations: Conversations;
  readonly rateLimiter: SendRateLimiter;
  readonly background: Background;
  readonly recorded: RecordedAnswers;
  readonly wait: (ms: number) => Promise<void>;
  readonly onFault: (fault: unknown) => void;
}

/** An answer that comes later than this is of no use to whoever waits for it. */
const attemptsMax = 3;
const waitMaxMs = 10 * secondMs;

const answeredElsewhere = "I have answered you in our own chat.";
const unreachable =
  "I cannot write to you alone: add this app for yourself in Teams, then write to me there.";

export function createResponder({
  connector,
  conversations,
  rateLimiter,
  background,
  recorded,
  wait,
  onFault,
}: ResponderDeps): Responder {
  const withRetries = createRetries(rateLimiter, wait);

  const post = (serviceUrl: string, conversationId: string, activity: Parameters<BotConnector["send"]>[2]) =>
    withRetries(conversationId, () => connector.send(serviceUrl, conversationId, activity));

  /** Our own chat with whoever wrote, made when there is none. */
  const ownChat = async (
    { from, conversation }: Activity,
    serviceUrl: string,
  ): Promise<string | undefined> => {
    if (conversation !== undefined && isPersonal(conversation)) return conversation.id;
    if (from?.aadObjectId === undefined) return undefined;
    const known = await conversations.person(from.aadObjectId);
    if (known?.conversationId !== undefined && known.conversationId !== null) return known.conversationId;
    const conversationId = await withRetries(from.id, () => connector.open(serviceUrl, from.id));
    await conversations.keepPerson(from.aadObjectId, { serviceUrl, userId: from.id, conversationId });
    return conversationId;
  };

  const overwrite = ({ serviceUrl, conversation, activity }: PostedMessage, card: AdaptiveCard): void =>
    background.start(() =>
      withRetries(conversation, () =>
        connector.update(serviceUrl, conversation, activity, cardActivity(card)),
      ).catch(onFault),
    );

  return {
    async answer(activity, outcome, caller) {
      const { conversation, serviceUrl } = activity;
      if (conversation === undefined || serviceUrl === undefined) return;
      const isAlone = isPersonal(conversation);
      try {
        const own = await ownChat(activity, serviceUrl);
        if (own === undefined) return;
        const card = answerCard(outcome, activity.from?.id);
        const posted = await post(serviceUrl, own, cardActivity(card));
        const message = { serviceUrl, conversation: own, activity: posted };
        if (caller !== undefined && card.actions.length > 0) {
          await recorded.recordPosted(activity, outcome.reply, caller, message).catch((error: unknown) => {
            // Buttons that nobody keeps true must not stay.
            overwrite(message, { ...card, actions: [] });
            throw error;
          });
        }
        if (!isAlone) await post(serviceUrl, conversation.id, textActivity(answeredElsewhere));
      } catch (error) {
        const isRefused = error instanceof DeliveryFault && !error.retryable;
        if (isAlone || !isRefused) throw error;
        await post(serviceUrl, conversation.id, textActivity(unreachable));
      }
    },
    async say({ conversation, serviceUrl }, text) {
      if (conversation === undefined || serviceUrl === undefined) return;
      await post(serviceUrl, conversation.id, textActivity(text));
    },
    replace(activity, card) {
      const message = pressedMessage(activity);
      if (message !== undefined) overwrite(message, card);
    },
  };
}

/** A few attempts, for nothing else will send it again. */
function createRetries(rateLimiter: SendRateLimiter, wait: ResponderDeps["wait"]) {
  return async <T>(conversationId: string, send: () => Promise<T>): Promise<T> => {
    for (let attempt = 1; ; attempt++) {
      try {
        rateLimiter.take(conversationId);
        return await send();
      } catch (error) {
        const fault = deliveryFaultOf(error);
        const delayMs = fault.retryAfterMs ?? attempt * secondMs;
        if (attempt >= attemptsMax || !fault.retryable || delayMs > waitMaxMs) throw fault;
        await wait(delayMs);
      }
    }
  };
}

/**
 * In a chat every card stays. The one of the request itself is posted and kept true by the relay, so what has been done
 * is told in a line, not by another card that would soon be wrong. Any other looks itself up again when it is seen.
 */
export function answerCard(outcome: ActionResult, userId?: string): AdaptiveCard {
  const { reply } = outcome;
  // What was refused is said; the request's own card has its buttons.
  if (reply.kind === "refused" && reply.card !== null) {
    return outcomeCard({ ...outcome, reply: { ...reply, card: null } }, "message");
  }
  if (reply.kind === "card" && reply.lead.length > 0) {
    return adaptiveCard({
      fallbackText: plainLines(reply.lead),
      body: [...reply.lead.map((line) => richText(line)), requestIdRow(reply.card.request.id)],
      actions: [],
    });
  }
  const card = outcomeCard(outcome, "message");
  const again = lookUpOf(reply);
  return userId === undefined || again === undefined ? card : refreshing(card, [userId], again);
}

/** The press that answers the same again; undefined for what does not change. */
function lookUpOf(reply: Reply): ButtonData | undefined {
  switch (reply.kind) {
    case "card":
    case "details":
      return { verb: "card:refresh", request: reply.card.request.id };
    case "home":
      return { verb: "menu:home" };
    default:
      return undefined;
  }
}
