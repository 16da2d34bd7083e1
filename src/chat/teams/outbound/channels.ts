import { minuteMs, secondMs } from "../../../core/values/time.ts";
import type { BotConnector } from "../connection/bot-connector.ts";
import type { ConversationReferences } from "../people/conversation-references.ts";
import { atServingAddress } from "../connection/serving-address.ts";

const cachedMs = 5 * minuteMs;
/** Time limit for listing the members, over all pages. */
const listTimeoutMs = 3 * secondMs;
const pagesMax = 5;

/** What Teams says about channels, cached for a while. */
export interface TeamsChannels {
  /** Addresses of the members; undefined: Teams does not say, or there are too many. */
  membersOf(conversationId: string): Promise<ReadonlySet<string> | undefined>;
}

export interface TeamsChannelsDeps {
  readonly connector: BotConnector;
  readonly conversations: ConversationReferences;
  readonly now: () => number;
}

export function createTeamsChannels({ connector, conversations, now }: TeamsChannelsDeps): TeamsChannels {
  const cached = new Map<
    string,
    { readonly at: number; readonly members: ReadonlySet<string> | undefined }
  >();

  const list = async (conversationId: string): Promise<ReadonlySet<string> | undefined> => {
    const signal = AbortSignal.timeout(listTimeoutMs);
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

  return {
    async membersOf(conversationId) {
      const last = cached.get(conversationId);
      if (last !== undefined && now() - last.at < cachedMs) return last.members;
      const members = await list(conversationId).catch(() => undefined);
      cached.set(conversationId, { at: now(), members });
      return members;
    },
  };
}
