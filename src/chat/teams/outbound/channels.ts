import { minuteMs, secondMs } from "../../../core/values/time.ts";
import type { BotConnector } from "../connection/bot-connector.ts";
import type { Conversations } from "../people/conversation-references.ts";
import { atServingAddress } from "../connection/serving-address.ts";

const keptMs = 5 * minuteMs;
/** How long Teams may take to list the members, over all pages. */
const listMs = 3 * secondMs;
const pagesMax = 5;

export interface ChannelMembersDeps {
  readonly connector: BotConnector;
  readonly conversations: Conversations;
  readonly now: () => number;
}

/** Addresses of the people in a channel, asked now and then; undefined: Teams does not say, or there are too many. */
export function createChannelMembers({ connector, conversations, now }: ChannelMembersDeps) {
  const kept = new Map<string, { readonly at: number; readonly members: ReadonlySet<string> | undefined }>();

  const list = async (conversationId: string): Promise<ReadonlySet<string> | undefined> => {
    const signal = AbortSignal.timeout(listMs);
    const serviceUrls = await conversations.serviceUrlsOf(conversationId, null);
    const members = new Set<string>();
    let next: string | null = null;
    for (let page = 0; page < pagesMax; page++) {
      const { result } = await atServingAddress(serviceUrls, (serviceUrl) =>
        connector.members(serviceUrl, conversationId, next, signal),
      );
      for (const id of result.aadObjectIds) members.add(`person:${id}`);
      next = result.continuationToken;
      if (next === null) return members;
    }
    return undefined;
  };

  return async (conversationId: string): Promise<ReadonlySet<string> | undefined> => {
    const last = kept.get(conversationId);
    if (last !== undefined && now() - last.at < keptMs) return last.members;
    const members = await list(conversationId).catch(() => undefined);
    kept.set(conversationId, { at: now(), members });
    return members;
  };
}
