import type { WebClient } from "@slack/web-api";
import { minuteMs, secondMs } from "../../../core/values/time.ts";
import { DeliveryFault } from "../../../service/messaging/messenger.ts";
import { resolveWithin } from "../../../service/async/resolve-within.ts";
import { slackErrorOf } from "../connection/delivery-faults.ts";

/** What Slack says about channels, asked now and then. */
export interface SlackChannels {
  /** @throws DeliveryFault `channel_is_shared`. Without the right to look, a channel is taken as ours. */
  assertNotShared(channel: string): Promise<void>;
  /** User ids of the members; undefined: Slack does not say, for want of a right or of an answer. */
  membersOf(channel: string): Promise<ReadonlySet<string> | undefined>;
}

type ChannelClient = Pick<WebClient, "conversations">;

/** A channel can be shared later, and be ours alone again. */
const sharedKeptMs = 10 * minuteMs;
const membersKeptMs = 5 * minuteMs;
/** How long Slack may take to list the members, over all pages. */
const membersMs = 3 * secondMs;
const pageSize = 1_000;
const pagesMax = 5;

/** @param now Milliseconds of any clock that goes on. */
export function createSlackChannels(client: ChannelClient, now: () => number): SlackChannels {
  const shared = new Map<string, { readonly at: number; readonly isShared: boolean }>();
  const members = new Map<string, { readonly at: number; readonly ids: ReadonlySet<string> | undefined }>();

  return {
    async assertNotShared(channel) {
      if (!/^[CG]/.test(channel)) return;
      const last = shared.get(channel);
      const isFresh = last !== undefined && now() - last.at < sharedKeptMs;
      const found = isFresh ? last : { at: now(), isShared: await isShared(client, channel) };
      shared.set(channel, found);
      if (found.isShared) throw new DeliveryFault("channel_is_shared", { retryable: false });
    },
    async membersOf(channel) {
      const last = members.get(channel);
      if (last !== undefined && now() - last.at < membersKeptMs) return last.ids;
      const ids = await resolveWithin(
        listMembers(client, channel).catch(() => undefined),
        membersMs,
      );
      members.set(channel, { at: now(), ids });
      return ids;
    },
  };
}

/** Undefined: there are more than we read. */
async function listMembers(client: ChannelClient, channel: string): Promise<ReadonlySet<string> | undefined> {
  const ids = new Set<string>();
  let cursor: string | undefined;
  for (let page = 0; page < pagesMax; page++) {
    const { members = [], response_metadata: more } = await client.conversations.members({
      channel,
      limit: pageSize,
      ...(cursor !== undefined && { cursor }),
    });
    for (const id of members) ids.add(id);
    cursor = more?.next_cursor;
    if (cursor === undefined || cursor === "") return ids;
  }
  return undefined;
}

async function isShared(client: ChannelClient, channel: string): Promise<boolean> {
  try {
    const { channel: found } = await client.conversations.info({ channel });
    return (
      found?.is_ext_shared === true || found?.is_pending_ext_shared === true || found?.is_org_shared === true
    );
  } catch (error) {
    if (unaskable.has(slackErrorOf(error) ?? "")) return false;
    throw error;
  }
}

/** Answers that say that we may not look at the channel; whether we may post there, posting will tell. */
const unaskable: ReadonlySet<string> = new Set([
  "channel_not_found",
  "method_not_supported_for_channel_type",
  "missing_scope",
  "not_in_channel",
  "unknown_method",
]);
