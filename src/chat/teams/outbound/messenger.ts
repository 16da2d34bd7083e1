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
import { refreshing, type AdaptiveCard } from "../views/adaptive-card.ts";
import { requestCard } from "../views/cards.ts";
import { isPersonalId } from "../connection/activity.ts";
import { createChannelMembers } from "./channels.ts";
import { BotConnectorFault, type BotConnector } from "../connection/bot-connector.ts";
import type { Conversations, PersonReference } from "../people/conversation-references.ts";
import { deliveryFaultOf } from "../connection/delivery-faults.ts";
import { withMentions } from "../views/mentions.ts";
import { noteCard } from "../views/notes.ts";
import { cardActivity } from "./message-activity.ts";
import type { SendRateLimiter } from "./rate-limit.ts";
import { atServingAddress } from "../connection/serving-address.ts";

/** Where a message is. */
const postedSchema = z.object({
  serviceUrl: z.string(),
  conversation: z.string(),
  activity: z.string(),
  /** Of whom it is; null in channels. */
  user: z.string().nullable(),
});
type Posted = z.infer<typeof postedSchema>;

/** A conversation that can be posted into. */
interface Target {
  /** The best guess first. */
  readonly serviceUrls: readonly string[];
  readonly conversation: string;
  readonly user: string | null;
}

/** Conversations as Teams names channels, meetings and group chats. */
const channelPattern = /^teams:(19:[\w.@:%-]{1,200}@(?:thread\.(?:tacv2|skype|v2)|unq\.gbl\.spaces))$/;

export interface MessengerDeps {
  readonly connector: BotConnector;
  readonly conversations: Conversations;
  readonly rateLimiter: SendRateLimiter;
  readonly now: () => number;
  readonly tenantId: string;
}

/** Teams as a place to tell people things: one call for each message; trying again is the relay's. */
export function createTeamsMessenger(deps: MessengerDeps): Messenger {
  const { conversations } = deps;
  const channelMembers = createChannelMembers(deps);
  const { send, update } = createSending(deps);

  return {
    surface: "teams",
    keepsCards: true,
    addressOf: (person) => addressOf(deps, person),
    channelAddress(reference) {
      const id = channelPattern.exec(reference)?.[1];
      return id === undefined ? undefined : `channel:${id}`;
    },
    membersOf: (address) => channelMembers(address.slice("channel:".length)),
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

/** New messages and changed ones, at whichever address serves their conversation. */
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
    const sendTo = (place: string) =>
      atServingAddress(serviceUrls, (serviceUrl) => {
        rateLimiter.take(conversation);
        return connector.send(serviceUrl, place, activity, signal);
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
 * Somebody who has not been heard of may have the app all the same: it is tried before it is said that they cannot be
 * reached, as soon as it is known where the tenant is served.
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

/** Where an address leads; for a person without a conversation with us, one is made. */
async function targetOf(deps: MessengerDeps, address: string, signal: AbortSignal): Promise<Target> {
  const { conversations } = deps;
  const [kind, ...rest] = address.split(":");
  const name = rest.join(":");
  if (kind === "channel") {
    const serviceUrls = await conversations.serviceUrlsOf(name, null);
    if (serviceUrls.length === 0) throw new DeliveryFault("not_installed", { retryable: false });
    return { serviceUrls, conversation: name, user: null };
  }
  if (kind !== "person") return assertKnown(address);
  const person = await conversations.person(name);
  if (person === undefined || person.conversationId === null) return opened(deps, name, person, signal);
  const { serviceUrl, userId: user, conversationId } = person;
  const serviceUrls = await conversations.serviceUrlsOf(conversationId, serviceUrl);
  return { serviceUrls, conversation: conversationId, user };
}

/** The personal conversation with somebody with whom there is none yet. */
async function opened(
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

function assertKnown(address: string): never {
  throw new DeliveryFault(`bad_address_${address.slice(0, 10)}`, { retryable: false });
}

/** A conversation that is not there any more is not tried again; the next attempt makes a new one. */
async function forgetStale(conversations: Conversations, address: string, error: unknown): Promise<never> {
  const person = address.startsWith("person:") ? address.slice("person:".length) : undefined;
  const status = error instanceof BotConnectorFault ? error.status : null;
  // Thrown out: when they come back, they get what has been waiting for them.
  if (person !== undefined && status === 403) await conversations.forgetPerson(person);
  if (person === undefined || status !== 404) throw error;
  const known = await conversations.person(person);
  if (known === undefined || known.conversationId === null) throw error;
  await conversations.keepPerson(person, { ...known, conversationId: null });
  throw new DeliveryFault("conversation_not_found", { retryable: true });
}

/** Teams asks again for at most sixty readers of one message; fewer keep the card small. */
const refreshedMax = 20;

/**
 * The card as a message. Teams looks it up anew for its one reader whenever it comes into view. In a shared message it
 * does so for those who have decided, because what everybody else may still press is not theirs any more.
 */
async function liveCard(
  conversations: Conversations,
  card: Card,
  user: string | null,
): Promise<AdaptiveCard> {
  const shown = withMentions(requestCard(card), card);
  if (shown.actions.length === 0) return shown;
  const readers = user === null ? await voterIds(conversations, card) : [user];
  return readers.length === 0
    ? shown
    : refreshing(shown, readers, { verb: "card:refresh", request: card.request.id });
}

async function voterIds(conversations: Conversations, { voterAccounts }: Card): Promise<readonly string[]> {
  const accounts = voterAccounts.filter(({ surface }) => surface === "teams").slice(0, refreshedMax);
  const people = await Promise.all(accounts.map((account) => conversations.person(account.user)));
  return [...new Set(people.flatMap((person) => person?.userId ?? []))];
}

/** The conversation or message is not there any more, or we are not let at it: nothing that we posted can be changed. */
function isGone(error: unknown): boolean {
  if (!(error instanceof BotConnectorFault)) return false;
  const { status, code } = error;
  return status === 403 || status === 404 || status === 410 || (status === 400 && goneCodes.has(code));
}

/** What Teams says with status 400 of a message that was deleted or is too old. */
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
