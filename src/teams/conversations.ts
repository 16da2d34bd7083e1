import { z } from "zod";
import type { AddressBook } from "../service/address-book.ts";
import { conversationIdOf, isPersonal, type Activity } from "./activity.ts";

/** Where a person is reached. */
export interface PersonReference {
  readonly serviceUrl: string;
  /** Their id with this bot, `29:…`. */
  readonly userId: string;
  /** Null: there is no personal conversation yet. */
  readonly conversationId: string | null;
}

const personSchema = z.object({
  serviceUrl: z.string(),
  userId: z.string(),
  conversationId: z.string().nullable(),
});
const placeSchema = z.object({ serviceUrl: z.string() });

/**
 * The conversations Teams has told us of, with the address of the service behind each. Kept in the store: a bot cannot
 * ask where it is installed, it can only remember.
 */
export interface Conversations {
  /** From everything that comes in, for addresses change. */
  learn(activity: Activity): Promise<void>;
  /** We were taken out of this activity's conversation. */
  leave(activity: Activity): Promise<void>;
  person(aadObjectId: string): Promise<PersonReference | undefined>;
  /** A personal conversation was made. */
  keepPerson(aadObjectId: string, reference: PersonReference): Promise<void>;
  /** Where a channel or group is served; one never heard of is tried where the tenant is. Undefined: nowhere. */
  serviceUrlOf(conversationId: string): Promise<string | undefined>;
}

export function createConversations(book: AddressBook, tenantId: string): Conversations {
  const personKey = (aadObjectId: string): string => `person:${tenantId}:${aadObjectId}`;
  const tenantKey = `tenant:${tenantId}`;

  const person: Conversations["person"] = async (aadObjectId) =>
    personSchema.safeParse(await book.find(personKey(aadObjectId))).data;
  const keepPerson: Conversations["keepPerson"] = (aadObjectId, reference) =>
    book.keep(personKey(aadObjectId), { ...reference });

  return {
    person,
    keepPerson,
    async learn({ from, conversation, serviceUrl }) {
      if (serviceUrl === undefined || conversation === undefined) return;
      await book.keep(tenantKey, { serviceUrl });
      const isOwn = isPersonal(conversation);
      if (!isOwn) await book.keep(placeKey(conversation.id), { serviceUrl });
      if (from?.aadObjectId === undefined) return;
      const known = await person(from.aadObjectId);
      const conversationId = isOwn ? conversation.id : (known?.conversationId ?? null);
      await keepPerson(from.aadObjectId, { serviceUrl, userId: from.id, conversationId });
    },
    async leave({ from, conversation }) {
      if (conversation === undefined) return;
      if (!isPersonal(conversation)) return book.forget(placeKey(conversation.id));
      if (from?.aadObjectId !== undefined) await book.forget(personKey(from.aadObjectId));
    },
    async serviceUrlOf(conversationId) {
      const place = placeSchema.safeParse(await book.find(placeKey(conversationId)));
      const tenant = place.success ? place : placeSchema.safeParse(await book.find(tenantKey));
      return tenant.data?.serviceUrl;
    },
  };
}

function placeKey(conversationId: string): string {
  return `conversation:${conversationIdOf(conversationId)}`;
}
