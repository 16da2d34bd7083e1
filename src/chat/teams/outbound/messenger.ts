import { z } from "zod";
import { accountIn, type Identity } from "../../../core/values/identity.ts";
import type { Card } from "../../../service/views/card.ts";
import {
  DeliveryFault,
  type MessageRef,
  type RewriteResult,
  type Messenger,
  type Note,
} from "../../../service/messaging/messenger.ts";
import { noteText } from "../../../wording/note-text.ts";
import { withRefresh, type AdaptiveCard } from "../views/adaptive-card.ts";
import { requestCard } from "../views/cards.ts";
import { isPersonalId } from "../connection/activity.ts";
import { createTeamsChannels } from "./channels.ts";
import { BotConnectorFault, type BotConnector } from "../connection/bot-connector.ts";
import type { ConversationReferences, PersonReference } from "../people/conversation-references.ts";
import { deliveryFaultOf } from "../connection/delivery-faults.ts";
import { withMentions } from "../views/mentions.ts";
import { noteCard } from "../views/notes.ts";
import { cardActivity } from "./message-activity.ts";
import type { SendRateLimiter } from "./rate-limit.ts";
import { atServingAddress } from "../connection/serving-address.ts";

/** The reference to a posted message. */
const postedSchema = z.object({
  serviceUrl: z.string(),
  conversation: z.string(),
  activity: z.string(),
  /** The person in a personal chat; null in channels. */
  user: z.string().nullable(),
});
type Posted = z.infer<typeof postedSchema>;

/** A conversation that can be posted to. */
interface Target {
  /** The most likely address first. */
  readonly serviceUrls: readonly string[];
  readonly conversation: string;
  readonly user: string | null;
}

/** The ids that Teams gives to channels, meetings and group chats. */
const channelPattern = /^teams:(19:[\w.@:%-]{1,200}@(?:thread\.(?:tacv2|skype|v2)|unq\.gbl\.spaces))$/;

export interface MessengerDeps {
  readonly connector: BotConnector;
  readonly conversations: ConversationReferences;
  readonly rateLimiter: SendRateLimiter;
  readonly now: () => number;
  readonly tenantId: string;
}

/** Sends messages in Teams with one call each; the relay retries. */
export function createTeamsMessenger(deps: MessengerDeps): Messenger {
  const { conversations } = deps;
  const channels = createTeamsChannels(deps);
  const { send, update } = createSending(deps);

  return {
    surface: "teams",
    keepsCards: true,
    addressOf: (person) => addressOf(deps, person),
    channelAddress(reference) {
      const id = channelPattern.exec(reference)?.[1];
      return id === undefined ? undefined : `channel:${id}`;
    },
    membersOf: (address) => channels.membersOf(address.slice("channel:".length)),
    post: (address, card: Card, signal) =>
      asFault(async () =>
        JSON.stringify(await send(address, (user) => liveCard(conversations, card, user), null, signal)),
      ),
    rewrite: (ref, card, signal) =>
      asFault(async () => {
        const posted = parseRef(ref);
        return update(posted, await liveCard(conversations, card, posted.user), signal);
      }),
    direct: (address, note: Note, thread: MessageRef | null, signal) =>
      asFault(async () => {
        const card = noteCard(noteText(note), note);
        const below = thread === null ? null : parseRef(thread);
        const posted = await send(address, async () => card, below, signal);
        return card.actions.length > 0 ? JSON.stringify(posted) : null;
      }),
    rewriteNote: (ref, note, signal) =>
      asFault(async () => {
        const card = noteCard(noteText(note), note);
        const result = await update(parseRef(ref), card, signal);
        return result === "rewritten" && card.actions.length > 0 ? "open" : "closed";
      }),
  };
}

/** Posts and rewrites messages at whichever address serves their conversation. */
function createSending(deps: MessengerDeps) {
  const { connector, conversations, rateLimiter } = deps;

  const send = async (
    address: string,
    cardAs: (user: string | null) => Promise<AdaptiveCard>,
    thread: Posted | null,
    signal: AbortSignal,
  ) => {
    const { serviceUrls, conversation, user } = await targetOf(deps, address, signal);
    const activity = cardActivity(await cardAs(user), true);
    const sendTo = (conversationId: string) =>
      atServingAddress(serviceUrls, (serviceUrl) => {
        rateLimiter.take(conversation);
        return connector.send(serviceUrl, conversationId, activity, signal);
      });
    const isBelow = thread !== null && !isPersonalId(conversation);
    const { serviceUrl, result } = await (
      isBelow
        ? sendTo(`${conversation};messageid=${thread.activity}`).catch((error: unknown) =>
            isGone(error) ? sendTo(conversation) : Promise.reject(error),
          )
        : sendTo(conversation)
    ).catch((error: unknown) => forgetStale(conversations, address, error));
    return { serviceUrl, conversation, activity: result, user };
  };

  const update = async (
    { serviceUrl: known, conversation, activity }: Posted,
    card: AdaptiveCard,
    signal: AbortSignal,
  ): Promise<RewriteResult> => {
    const serviceUrls = await conversations.serviceUrlsOf(conversation, known);
    try {
      await atServingAddress(serviceUrls, (serviceUrl) => {
        rateLimiter.take(conversation);
        return connector.update(serviceUrl, conversation, activity, cardActivity(card), signal);
      });
      return "rewritten";
    } catch (error) {
      if (isGone(error)) return "gone";
      throw error;
    }
  };

  return { send, update };
}

/**
 * The address of a person. Somebody we have no conversation with may have the app all the same, so they get an address
 * too, once we know where the tenant is served.
 */
async function addressOf(
  { conversations, tenantId }: MessengerDeps,
  { links, chatLinks }: Identity,
): Promise<string | undefined> {
  const account = accountIn(links, "teams") ?? accountIn(chatLinks ?? {}, "teams");
  if (account === undefined || account.team.toLowerCase() !== tenantId) return undefined;
  const isKnown = (await conversations.person(account.user)) !== undefined;
  const mayOpen = isKnown || (await conversations.serviceUrlsOf(null, null)).length > 0;
  return mayOpen ? `person:${account.user}` : undefined;
}

/** The conversation behind an address. Creates the personal conversation if there is none. */
async function targetOf(deps: MessengerDeps, address: string, signal: AbortSignal): Promise<Target> {
  const { conversations } = deps;
  const [kind, ...rest] = address.split(":");
  const name = rest.join(":");
  if (kind === "channel") {
    const serviceUrls = await conversations.serviceUrlsOf(name, null);
    if (serviceUrls.length === 0) throw new DeliveryFault("not_installed", { retryable: false });
    return { serviceUrls, conversation: name, user: null };
  }
  if (kind !== "person") throw new DeliveryFault(`bad_address_${address.slice(0, 10)}`, { retryable: false });
  const person = await conversations.person(name);
  if (person === undefined || person.conversationId === null)
    return openConversation(deps, name, person, signal);
  const { serviceUrl, userId: user, conversationId } = person;
  const serviceUrls = await conversations.serviceUrlsOf(conversationId, serviceUrl);
  return { serviceUrls, conversation: conversationId, user };
}

async function openConversation(
  { connector, conversations, rateLimiter }: MessengerDeps,
  aadObjectId: string,
  person: PersonReference | undefined,
  signal: AbortSignal,
): Promise<Target> {
  const userId = person?.userId ?? null;
  const member = userId ?? aadObjectId;
  const serviceUrls = await conversations.serviceUrlsOf(null, person?.serviceUrl ?? null);
  if (serviceUrls.length === 0) throw new DeliveryFault("not_installed", { retryable: false });
  const { serviceUrl, result: conversationId } = await atServingAddress(serviceUrls, (url) => {
    rateLimiter.take(member);
    return connector.open(url, member, signal);
  });
  await conversations.keepPerson(aadObjectId, { serviceUrl, userId, conversationId });
  return { serviceUrls: [serviceUrl], conversation: conversationId, user: userId };
}

/** Forgets a conversation that no longer exists, so that the next attempt creates a new one. */
async function forgetStale(
  conversations: ConversationReferences,
  address: string,
  error: unknown,
): Promise<never> {
  const person = address.startsWith("person:") ? address.slice("person:".length) : undefined;
  const status = error instanceof BotConnectorFault ? error.status : null;
  // The person has removed the app. When they install it again, they get what waits for them.
  if (person !== undefined && status === 403) await conversations.forgetPerson(person);
  if (person === undefined || status !== 404) throw error;
  const known = await conversations.person(person);
  if (known === undefined || known.conversationId === null) throw error;
  await conversations.keepPerson(person, { ...known, conversationId: null });
  throw new DeliveryFault("conversation_not_found", { retryable: true });
}

/** Teams refreshes a message for at most sixty readers; fewer keep the card small. */
const refreshedMax = 20;

/**
 * The card as a message that Teams refreshes when its reader sees it. In a shared message it does so for those who have
 * decided, because they may no longer press what everybody else still may.
 */
async function liveCard(
  conversations: ConversationReferences,
  card: Card,
  user: string | null,
): Promise<AdaptiveCard> {
  const shown = withMentions(requestCard(card), card);
  if (shown.actions.length === 0) return shown;
  const readers = user === null ? await voterIds(conversations, card) : [user];
  return readers.length === 0
    ? shown
    : withRefresh(shown, readers, { verb: "card:refresh", request: card.request.id });
}

async function voterIds(
  conversations: ConversationReferences,
  { voterAccounts }: Card,
): Promise<readonly string[]> {
  const accounts = voterAccounts.filter(({ surface }) => surface === "teams").slice(0, refreshedMax);
  const people = await Promise.all(accounts.map((account) => conversations.person(account.user)));
  return [...new Set(people.flatMap((person) => person?.userId ?? []))];
}

/** Whether a posted message can no longer be changed: it or its conversation is gone, or we lost access. */
function isGone(error: unknown): boolean {
  if (!(error instanceof BotConnectorFault)) return false;
  const { status, code } = error;
  return status === 403 || status === 404 || status === 410 || (status === 400 && goneCodes.has(code));
}

/** Codes that come with status 400 for a message that was deleted or is too old. */
const goneCodes: ReadonlySet<string> = new Set([
  "ActivityNotFoundInConversation",
  "ConversationNotFound",
  "MessageNotFound",
]);

function parseRef(ref: MessageRef): Posted {
  const read = postedSchema.safeParse(JSON.parse(ref));
  if (!read.success) throw new DeliveryFault("bad_reference", { retryable: false });
  return read.data;
}

async function asFault<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw deliveryFaultOf(error);
  }
}
