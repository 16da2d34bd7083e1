import type { WebClient } from "@slack/web-api";
import { minuteMs, secondMs } from "../../../core/values/time.ts";
import { DeliveryFault } from "../../../service/messaging/messenger.ts";
import { resolveWithin } from "../../../service/async/resolve-within.ts";
import { slackErrorOf } from "../connection/delivery-faults.ts";

/** What Slack says about channels, cached for a while. */
export interface SlackChannels {
  /** Without the scope to look, a channel counts as ours. @throws DeliveryFault `channel_is_shared` */
  assertNotShared(channel: string): Promise<void>;
  /** User ids of the members; undefined: Slack does not say, there are too many, or a scope is missing. */
  membersOf(channel: string): Promise<ReadonlySet<string> | undefined>;
}

type ChannelClient = Pick<WebClient, "conversations">;

/** A channel can become shared, and stop being shared. */
const sharedCachedMs = 10 * minuteMs;
const membersCachedMs = 5 * minuteMs;
/** Time limit for listing the members, over all pages. */
const listTimeoutMs = 3 * secondMs;
const pageSize = 1_000;
const pagesMax = 5;

/** @param now Milliseconds of a monotonic clock. */
export function createSlackChannels(client: ChannelClient, now: () => number): SlackChannels {
  const shared = new Map<string, { readonly at: number; readonly isShared: boolean }>();
  const members = new Map<string, { readonly at: number; readonly ids: ReadonlySet<string> | undefined }>();

  return {
    async assertNotShared(channel) {
      if (!/^[CG]/.test(channel)) return;
      const last = shared.get(channel);
      const isFresh = last !== undefined && now() - last.at < sharedCachedMs;
      const found = isFresh ? last : { at: now(), isShared: await isShared(client, channel) };
      shared.set(channel, found);
      if (found.isShared) throw new DeliveryFault("channel_is_shared", { retryable: false });
    },
    async membersOf(channel) {
      const last = members.get(channel);
      if (last !== undefined && now() - last.at < membersCachedMs) return last.ids;
      const ids = await resolveWithin(
        listMembers(client, channel).catch(() => undefined),
        listTimeoutMs,
      );
      members.set(channel, { at: now(), ids });
      return ids;
    },
  };
}

/** Undefined: the channel has more members than we read. */
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
    if (invisible.has(slackErrorOf(error) ?? "")) return false;
    throw error;
  }
}

/** Error codes for a channel that we may not look at. Posting shows whether we may post there. */
const invisible: ReadonlySet<string> = new Set([
  "channel_not_found",
  "method_not_supported_for_channel_type",
  "missing_scope",
  "not_in_channel",
  "unknown_method",
]);
