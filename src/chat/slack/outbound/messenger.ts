import type { SlackClient } from "../connection/slack-client.ts";

import type { Card } from "../../../service/views/card.ts";
import {
  DeliveryFault,
  type MessageRef,
  type RewriteResult,
  type Messenger,
  type Note,
} from "../../../service/messaging/messenger.ts";
import { noteText } from "../../../wording/note-text.ts";
import { cardMessage, type Message } from "../views/cards.ts";
import { createSlackChannels, type SlackChannels } from "./channels.ts";
import { deliveryFaultOf, slackErrorOf } from "../connection/delivery-faults.ts";
import { noteMessage } from "../views/notes.ts";
import { createUpdateRateLimiter } from "./rate-limit.ts";

/** The reference to a posted message. */
interface Posted {
  readonly channel: string;
  readonly ts: string;
}

export interface MessengerOptions {
  /** Milliseconds of a monotonic clock. */
  readonly now?: () => number;
  /** A card was posted or rewritten in this channel. */
  readonly onWritten?: (channel: string) => void;
}

/** Error codes for a message that can no longer be changed. */
const gone: ReadonlySet<string> = new Set([
  "message_not_found",
  "channel_not_found",
  "is_archived",
  "not_in_channel",
  "cant_update_message",
  "edit_window_closed",
  "is_inactive",
]);

/** Error codes for a thread that cannot be posted to, although its channel can. */
const threadGone: ReadonlySet<string> = new Set([
  "cannot_reply_to_message",
  "cant_broadcast_message",
  "message_not_found",
  "restricted_action_non_threadable_channel",
  "restricted_action_thread_locked",
  "thread_locked",
  "thread_not_found",
]);

/**
 * Sends messages in Slack with one call of the Web API each; the relay retries. Channels shared with another organisation
 * are refused, because its members must not read requests.
 *
 * @param teamId Our workspace; people linked to another one have no address. Undefined: not known yet.
 */
export function createSlackMessenger(
  client: SlackClient,
  teamId: () => string | undefined,
  { now = () => performance.now(), onWritten = () => undefined }: MessengerOptions = {},
): Messenger {
  const channels = createSlackChannels(client, now);
  const { post, update } = createSending(client, channels, { now, onWritten });
  return {
    surface: "slack",
    keepsCards: true,
    addressOf: async ({ links: { slack: link } }) => {
      return link === undefined || (teamId() !== undefined && link.teamId !== teamId())
        ? undefined
        : link.userId;
    },
    channelAddress: (reference) => /^slack:([CG][A-Z0-9]{2,30})$/.exec(reference)?.[1],
    membersOf: (channel) => channels.membersOf(channel),
    async post(address, card: Card) {
      const posted = await asFault(() => post(address, cardMessage(card)));
      onWritten(posted.channel);
      return JSON.stringify(posted);
    },
    rewrite: (ref, card, _signal, isMisleading) =>
      asFault(() => update(ref, cardMessage(card), isMisleading)),
    async direct(address, note: Note, thread: MessageRef | null) {
      const below = thread === null ? undefined : parseRef(thread);
      const message = noteMessage(noteText(note), note);
      const posted = await asFault(async () => {
        try {
          return await post(below?.channel ?? address, message, below?.ts);
        } catch (error) {
          if (below === undefined || !threadGone.has(slackErrorOf(error) ?? "")) throw error;
          return post(below.channel, message);
        }
      });
      return hasButtons(message) ? JSON.stringify(posted) : null;
    },
    rewriteNote: (ref, note) => {
      const message = noteMessage(noteText(note), note);
      return asFault(async () =>
        (await update(ref, message, true)) === "rewritten" && hasButtons(message) ? "open" : "closed",
      );
    },
  };
}

/** Posts and rewrites messages. */
function createSending(
  client: SlackClient,
  channels: SlackChannels,
  { now, onWritten }: Required<MessengerOptions>,
) {
  const updates = createUpdateRateLimiter(now);

  const post = async (channel: string, message: Message, thread?: string): Promise<Posted> => {
    await channels.assertNotShared(channel);
    const sent = await client.chat.postMessage({
      channel,
      ...message,
      unfurl_links: false,
      unfurl_media: false,
      ...threadOf(channel, thread),
    });
    if (sent.channel === undefined || sent.ts === undefined) {
      throw new DeliveryFault("no_message_id", { retryable: false });
    }
    return { channel: sent.channel, ts: sent.ts };
  };

  const update = async (ref: MessageRef, message: Message, isMisleading: boolean): Promise<RewriteResult> => {
    const { channel, ts } = parseRef(ref);
    updates.take(isMisleading);
    try {
      await client.chat.update({ channel, ts, ...message });
    } catch (error) {
      if (gone.has(slackErrorOf(error) ?? "")) return "gone";
      const { retryAfterMs } = deliveryFaultOf(error);
      if (retryAfterMs !== undefined) updates.pause(retryAfterMs);
      throw error;
    }
    onWritten(channel);
    return "rewritten";
  };

  return { post, update };
}

function hasButtons({ blocks }: Message): boolean {
  return blocks.some(({ type }) => type === "actions");
}

/** A note belongs into the thread of its card. In a private channel it is also shown outside of the thread. */
function threadOf(
  channel: string,
  thread: string | undefined,
): { readonly thread_ts?: string } | { readonly thread_ts: string; readonly reply_broadcast: true } {
  if (thread === undefined) return {};
  return channel.startsWith("D") ? { thread_ts: thread, reply_broadcast: true } : { thread_ts: thread };
}

function parseRef(ref: MessageRef): Posted {
  const read: unknown = JSON.parse(ref);
  const isPosted =
    typeof read === "object" &&
    read !== null &&
    "channel" in read &&
    "ts" in read &&
    typeof read.channel === "string" &&
    typeof read.ts === "string";
  if (!isPosted) throw new DeliveryFault("bad_reference", { retryable: false });
  return { channel: String(read.channel), ts: String(read.ts) };
}

async function asFault<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw deliveryFaultOf(error);
  }
}
