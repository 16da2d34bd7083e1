import type { App } from "@slack/bolt";
import type { Chat } from "../chat/chat.ts";
import type { Reply } from "../chat/reply.ts";
import type { Caller } from "../service/caller.ts";
import type { CardService } from "../service/chat-people.ts";
import type { SlackClient } from "./outbound.ts";
import type { Known, Sender } from "./people.ts";

/** After this an answer comes as a message of its own: Slack wants to hear from us within 3 s. */
export const patienceMs = 1_200;

export interface InboundParts {
  readonly app: App;
  readonly client: SlackClient;
  readonly chat: Chat;
  readonly cards: CardService;
  /** Who it is, asked at each press. */
  readonly known: (sender: Sender) => Promise<Known>;
  /** Puts on record that somebody was turned away who is nobody we know. */
  readonly turnedAway: (
    sender: Sender,
    known: Extract<Known, { refusal: unknown }>,
    verb: string,
  ) => Promise<void>;
}

/** The reply for this sender: the conversation's, or what somebody unknown is told. */
export async function replyTo(
  parts: InboundParts,
  sender: Sender,
  verb: string,
  answer: (caller: Caller) => Promise<Reply>,
): Promise<{ readonly reply: Reply; readonly caller: Caller | undefined }> {
  const known = await parts.known(sender);
  if ("caller" in known) return { reply: await answer(known.caller), caller: known.caller };
  await parts.turnedAway(sender, known, verb);
  const { refusal, stranger } = known;
  if (stranger !== undefined)
    return { reply: await parts.chat.runUnlinked(stranger, verb, refusal), caller: undefined };
  const lines = [[refusal.detail]];
  return { reply: { kind: "refused", refusal, lines, card: null, buttons: [] }, caller: undefined };
}

/** Who sent it, from what every signed payload says. */
export function senderOf({
  user,
  team,
  enterprise,
}: {
  readonly user: { readonly id: string; readonly team_id?: string | undefined };
  readonly team?: { readonly id: string } | null | undefined;
  readonly enterprise?: { readonly id: string } | null | undefined;
}): Sender {
  return { userId: user.id, teamId: user.team_id ?? team?.id, enterpriseId: enterprise?.id };
}

/** The answer, if it comes in time. */
export async function within<T>(work: Promise<T>, ms: number): Promise<T | undefined> {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  const timer = setTimeout(() => resolve(undefined), ms);
  try {
    return await Promise.race([work, promise]);
  } finally {
    clearTimeout(timer);
  }
}
