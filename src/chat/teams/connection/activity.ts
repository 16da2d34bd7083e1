import { z } from "zod";

/*
 * The fields of a Bot Framework activity that we read. The platform adds fields at any time, so unknown ones are
 * ignored; every field that we read is validated.
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

export type Activity = z.infer<typeof activitySchema>;

/** Undefined: the body is not an activity. */
export function parseActivity(body: unknown): Activity | undefined {
  const read = activitySchema.safeParse(body);
  return read.success ? read.data : undefined;
}

/** The id of the conversation alone; in channels the given id also names a message. */
export function conversationIdOf(conversationId: string): string {
  const end = conversationId.indexOf(";");
  return end === -1 ? conversationId : conversationId.slice(0, end);
}

/** Whether only the sender and the bot are in the conversation. Teams also calls chats of two people `personal`. */
export function isPersonal({ conversationType, id: conversationId }: Conversation): boolean {
  return isPersonalId(conversationId) && (conversationType ?? "personal") === "personal";
}

/** The ids of channels, groups, meetings and chats between people begin with `19:`. */
export function isPersonalId(conversationId: string): boolean {
  return !conversationId.startsWith("19:");
}

/**
 * Whether the bot is a member of the activity's conversation. Presses and dialogs do not prove it: a message extension
 * also works in chats between people, where the bot cannot post; such a chat must not replace the right reference.
 */
export function isOfOwnConversation({ type }: Activity): boolean {
  return type === "message" || type === "conversationUpdate" || type === "installationUpdate";
}

type Conversation = NonNullable<Activity["conversation"]>;
