import type { Reply } from "../../conversation/reply.ts";
import { secondMs } from "../../../core/values/time.ts";
import type { Caller } from "../../../service/ports/caller.ts";
import { DeliveryFault } from "../../../service/messaging/messenger.ts";
import { isPersonal, type Activity } from "../connection/activity.ts";
import { adaptiveCard, withRefresh, type AdaptiveCard, type ButtonData } from "../views/adaptive-card.ts";
import type { BackgroundTasks } from "./background-tasks.ts";
import { requestIdRow } from "../views/cards.ts";
import type { BotConnector } from "../connection/bot-connector.ts";
import type { ConversationReferences } from "../people/conversation-references.ts";
import { deliveryFaultOf } from "../connection/delivery-faults.ts";
import { resultCard } from "./invoke-responses.ts";
import { cardActivity, textActivity } from "../outbound/message-activity.ts";
import type { SendRateLimiter } from "../outbound/rate-limit.ts";
import type { ActionResult } from "./card-actions.ts";
import { pressedMessage, type PostedMessage, type RecordedAnswers } from "./recorded-answers.ts";
import { plainLines, richText } from "../views/text.ts";

/** Answers people. Each answer is for one person, so it goes into their personal chat with the bot. */
export interface Responder {
  answer(activity: Activity, result: ActionResult, caller?: Caller): Promise<void>;
  /** Posts a text where the activity came from, for everybody there. */
  say(activity: Activity, text: string): Promise<void>;
  /** Replaces the message whose button was pressed, if only this person sees it. */
  replace(activity: Activity, card: AdaptiveCard): void;
}

export interface ResponderDeps {
  readonly connector: BotConnector;
  readonly conversations: ConversationReferences;
  readonly rateLimiter: SendRateLimiter;
  readonly backgroundTasks: BackgroundTasks;
  readonly recordedAnswers: RecordedAnswers;
  readonly wait: (ms: number) => Promise<void>;
  readonly onFault: (fault: unknown) => void;
}

/** A person waits for the answer, so we give up soon. */
const attemptsMax = 3;
const waitMaxMs = 10 * secondMs;

const answeredElsewhere = "I have answered you in our own chat.";
const unreachable =
  "I cannot write to you alone: add this app for yourself in Teams, then write to me there.";

export function createResponder({
  connector,
  conversations,
  rateLimiter,
  backgroundTasks,
  recordedAnswers,
  wait,
  onFault,
}: ResponderDeps): Responder {
  const withRetries = createRetries(rateLimiter, wait);

  const post = (serviceUrl: string, conversationId: string, activity: Parameters<BotConnector["send"]>[2]) =>
    withRetries(conversationId, () => connector.send(serviceUrl, conversationId, activity));

  /** The personal chat with the sender, created if there is none. */
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
    backgroundTasks.start(() =>
      withRetries(conversation, () =>
        connector.update(serviceUrl, conversation, activity, cardActivity(card)),
      ).catch(onFault),
    );

  return {
    async answer(activity, result, caller) {
      const { conversation, serviceUrl } = activity;
      if (conversation === undefined || serviceUrl === undefined) return;
      const isPersonalChat = isPersonal(conversation);
      try {
        const own = await ownChat(activity, serviceUrl);
        if (own === undefined) return;
        const card = answerCard(result, activity.from?.id);
        const posted = await post(serviceUrl, own, cardActivity(card));
        const message = { serviceUrl, conversation: own, activity: posted };
        if (caller !== undefined && card.actions.length > 0) {
          await recordedAnswers
            .recordPosted(activity, result.reply, caller, message)
            .catch((error: unknown) => {
              // Without the record its buttons would never be updated, so they go.
              overwrite(message, { ...card, actions: [] });
              throw error;
            });
        }
        if (!isPersonalChat) await post(serviceUrl, conversation.id, textActivity(answeredElsewhere));
      } catch (error) {
        const isRefused = error instanceof DeliveryFault && !error.retryable;
        if (isPersonalChat || !isRefused) throw error;
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

/** Retries a few times, because no relay sends answers again. */
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
 * The answer to a message, as a card. The relay posts the card of the request itself and keeps it up to date, so a
 * decision is answered by a line; another card of the request would soon be wrong. Other cards refresh when seen.
 */
export function answerCard(result: ActionResult, userId?: string): AdaptiveCard {
  const { reply } = result;
  // A refusal is only a text, because the request's own card has the buttons.
  if (reply.kind === "refused" && reply.card !== null) {
    return resultCard({ ...result, reply: { ...reply, card: null } }, "message");
  }
  if (reply.kind === "card" && reply.lead.length > 0) {
    return adaptiveCard({
      fallbackText: plainLines(reply.lead),
      body: [...reply.lead.map((line) => richText(line)), requestIdRow(reply.card.request.id)],
      actions: [],
    });
  }
  const card = resultCard(result, "message");
  const refresh = refreshOf(reply);
  return userId === undefined || refresh === undefined ? card : withRefresh(card, [userId], refresh);
}

/** The action that answers with the current state of the same card; undefined for what never changes. */
function refreshOf(reply: Reply): ButtonData | undefined {
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
