import { z } from "zod";
import type { AddressBook } from "../../../service/people/address-book.ts";
import { conversationIdOf, isOfOwnConversation, isPersonal, type Activity } from "../connection/activity.ts";

/** Where a person is reached. */
export interface PersonReference {
  readonly serviceUrl: string;
  /** Their id with this bot, `29:…`. Null: we have opened the conversation, and they have not been heard of yet. */
  readonly userId: string | null;
  /** Null: there is no personal conversation yet. */
  readonly conversationId: string | null;
}

const personSchema = z.object({
  serviceUrl: z.string(),
  userId: z.string().nullable(),
  conversationId: z.string().nullable(),
});
/** `since`: when the address was first heard of, in epoch milliseconds; of what was learned before that was kept, 0. */
const serviceUrlSchema = z.object({ serviceUrl: z.string(), since: z.number().default(0) });

/**
 * The conversations Teams has told us of, with the address of the service behind each. Kept in the store: a bot cannot
 * ask where it is installed, it can only remember.
 */
export interface Conversations {
  /**
   * References from the bot's own conversations. From everything else only the address of the service, which changes,
   * of what is known already.
   *
   * @returns whether the sender can be written to from now on and could not before
   */
  learn(activity: Activity): Promise<boolean>;
  /** We were taken out of this activity's conversation. */
  leave(activity: Activity): Promise<void>;
  person(aadObjectId: string): Promise<PersonReference | undefined>;
  /** Nothing can be sent to them there: they have to be heard of again. */
  forgetPerson(aadObjectId: string): Promise<void>;
  /** A personal conversation was made. */
  keepPerson(aadObjectId: string, reference: PersonReference): Promise<void>;
  /**
   * Where a conversation may be served, the newest address first: an address moves for everybody, and not every
   * conversation has said so yet. The others are for when the newest turns out to serve somebody else.
   *
   * @param conversationId Null: there is none yet.
   * @param known Where the caller has known it to be; null: nowhere.
   */
  serviceUrlsOf(conversationId: string | null, known: string | null): Promise<readonly string[]>;
}

export function createConversations(book: AddressBook, tenantId: string, now: () => number): Conversations {
  const personKey = (aadObjectId: string): string => `person:${tenantId}:${aadObjectId}`;
  const tenantKey = `tenant:${tenantId}`;

  const person: Conversations["person"] = async (aadObjectId) =>
    personSchema.safeParse(await book.find(personKey(aadObjectId))).data;
  const keepPerson: Conversations["keepPerson"] = (aadObjectId, reference) =>
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
      const isTheirs = isOwn && isPersonal(conversation);
      const conversationId = isTheirs ? conversation.id : (known?.conversationId ?? null);
      await keepPerson(from.aadObjectId, { serviceUrl, userId: from.id, conversationId });
      return isTheirs && (known === undefined || known.conversationId === null);
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
