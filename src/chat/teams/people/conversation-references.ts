import { z } from "zod";
import type { AddressBook } from "../../../service/people/address-book.ts";
import { conversationIdOf, isOfOwnConversation, isPersonal, type Activity } from "../connection/activity.ts";

/** The personal conversation with a person. */
export interface PersonReference {
  readonly serviceUrl: string;
  /** Their id with this bot, `29:…`. Null: we opened the conversation, and they have not written yet. */
  readonly userId: string | null;
  /** Null: there is no personal conversation yet. */
  readonly conversationId: string | null;
}

const personSchema = z.object({
  serviceUrl: z.string(),
  userId: z.string().nullable(),
  conversationId: z.string().nullable(),
});
/** `since`: when we first saw the address, in epoch milliseconds; 0 when that was not recorded. */
const serviceUrlSchema = z.object({ serviceUrl: z.string(), since: z.number().default(0) });

/**
 * The conversations we know from Teams, each with the address of its service. They are stored, because a bot cannot ask
 * where it is installed.
 */
export interface ConversationReferences {
  /**
   * Stores the references of the bot's own conversations. From other activities it updates only the service address of
   * conversations it already knows.
   *
   * @returns whether the sender became reachable by this activity
   */
  learn(activity: Activity): Promise<boolean>;
  /** Forgets the conversation of this activity, because the bot was removed from it. */
  leave(activity: Activity): Promise<void>;
  person(aadObjectId: string): Promise<PersonReference | undefined>;
  /** Forgets a person who cannot be reached there, until they write again. */
  forgetPerson(aadObjectId: string): Promise<void>;
  /** Stores a personal conversation that was created. */
  keepPerson(aadObjectId: string, reference: PersonReference): Promise<void>;
  /**
   * The addresses that may serve a conversation, the newest first. An address moves for everybody, but each conversation
   * reports it only with its next activity; the older ones are used when the newest does not serve this conversation.
   *
   * @param conversationId Null: there is no conversation yet.
   * @param known The address that the caller last used; null: none.
   */
  serviceUrlsOf(conversationId: string | null, known: string | null): Promise<readonly string[]>;
}

export function createConversationReferences(
  book: AddressBook,
  tenantId: string,
  now: () => number,
): ConversationReferences {
  const personKey = (aadObjectId: string): string => `person:${tenantId}:${aadObjectId}`;
  const tenantKey = `tenant:${tenantId}`;

  const person: ConversationReferences["person"] = async (aadObjectId) =>
    personSchema.safeParse(await book.find(personKey(aadObjectId))).data;
  const keepPerson: ConversationReferences["keepPerson"] = (aadObjectId, reference) =>
    book.keep(personKey(aadObjectId), { ...reference });

  const serviceUrlAt = async (key: string) => serviceUrlSchema.safeParse(await book.find(key)).data;
  const keepServiceUrl = async (key: string, serviceUrl: string): Promise<void> => {
    if ((await serviceUrlAt(key))?.serviceUrl !== serviceUrl)
      await book.keep(key, { serviceUrl, since: now() });
  };

  return {
    person,
    keepPerson,
    forgetPerson: (aadObjectId) => book.forget(personKey(aadObjectId)),
    async learn(activity) {
      const { from, conversation, serviceUrl } = activity;
      if (serviceUrl === undefined || conversation === undefined) return false;
      await keepServiceUrl(tenantKey, serviceUrl);
      const isOwn = isOfOwnConversation(activity);
      const key = conversationKey(conversation.id);
      if (isOwn || (await serviceUrlAt(key)) !== undefined) await keepServiceUrl(key, serviceUrl);
      if (from?.aadObjectId === undefined) return false;
      const known = await person(from.aadObjectId);
      if (known === undefined && !isOwn) return false;
      const isPersonalChat = isOwn && isPersonal(conversation);
      const conversationId = isPersonalChat ? conversation.id : (known?.conversationId ?? null);
      await keepPerson(from.aadObjectId, { serviceUrl, userId: from.id, conversationId });
      return isPersonalChat && (known === undefined || known.conversationId === null);
    },
    async leave({ from, conversation }) {
      if (conversation === undefined) return;
      await book.forget(conversationKey(conversation.id));
      if (!isPersonal(conversation)) return;
      if (from?.aadObjectId !== undefined) await book.forget(personKey(from.aadObjectId));
    },
    async serviceUrlsOf(conversationId, known) {
      const own = conversationId === null ? undefined : await serviceUrlAt(conversationKey(conversationId));
      const given = known === null ? undefined : { serviceUrl: known, since: 0 };
      const tenant = await serviceUrlAt(tenantKey);
      const candidates = [own, given, tenant].filter((one) => one !== undefined);
      const newestFirst = candidates.toSorted((one, other) => other.since - one.since);
      return [...new Set(newestFirst.map(({ serviceUrl }) => serviceUrl))];
    },
  };
}

function conversationKey(conversationId: string): string {
  return `conversation:${conversationIdOf(conversationId)}`;
}
