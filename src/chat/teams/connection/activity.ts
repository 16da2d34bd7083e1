import { z } from "zod";

/*
 * What we read of a Bot Framework activity. The platform adds fields as it likes, so unknown ones are passed over; each
 * that is read is checked.
 */

const text = z.string().max(20_000);
const id = z.string().min(1).max(600);

const accountSchema = z.object({
  id,
  name: z.string().max(500).optional().catch(undefined),
  aadObjectId: z.string().min(1).max(100).optional(),
});

const activitySchema = z.object({
  type: id,
  id: id.optional(),
  name: z.string().max(200).optional(),
  /** `installationUpdate`: `add`, `remove`, and the same for upgrades. */
  action: z.string().max(100).optional(),
  channelId: z.string().optional(),
  serviceUrl: z.string().max(2_000).optional(),
  text: text.nullish(),
  from: accountSchema.optional(),
  recipient: accountSchema.optional(),
  conversation: z
    .object({
      id,
      /** `personal`, `groupChat` or `channel`. */
      conversationType: z.string().optional(),
      tenantId: z.string().optional(),
    })
    .optional(),
  channelData: z
    .object({
      tenant: z.object({ id: z.string() }).nullish(),
      team: z.object({ id }).nullish(),
    })
    .nullish(),
  membersAdded: z.array(accountSchema).max(1_000).optional(),
  membersRemoved: z.array(accountSchema).max(1_000).optional(),
  replyToId: id.nullish(),
  value: z.unknown().optional(),
});

/** One thing that has happened in Teams. */
export type Activity = z.infer<typeof activitySchema>;

/** Undefined: this is no activity. */
export function parseActivity(body: unknown): Activity | undefined {
  const read = activitySchema.safeParse(body);
  return read.success ? read.data : undefined;
}

/** The conversation itself; in channels the id names a message of it as well. */
export function conversationIdOf(conversationId: string): string {
  const end = conversationId.indexOf(";");
  return end === -1 ? conversationId : conversationId.slice(0, end);
}

/** Whether only the sender and the bot are in it. Teams calls chats between two people `personal` as well. */
export function isPersonal({ conversationType, id: conversationId }: Conversation): boolean {
  return isPersonalId(conversationId) && (conversationType ?? "personal") === "personal";
}

/** Channels, groups, meetings and chats between people have ids that begin with `19:`. */
export function isPersonalId(conversationId: string): boolean {
  return !conversationId.startsWith("19:");
}

/**
 * Whether the activity shows a conversation that the bot belongs to. Presses and dialogs do not: a message extension
 * works in chats between people, where nothing can be sent and what is learned would replace what is right.
 */
export function isOfOwnConversation({ type }: Activity): boolean {
  return type === "message" || type === "conversationUpdate" || type === "installationUpdate";
}

type Conversation = NonNullable<Activity["conversation"]>;
