import { secondMs } from "../../../core/values/time.ts";
import { DeliveryFault } from "../../../service/messaging/messenger.ts";

/** What Teams takes from one bot; more is answered 429 and makes it slower for all. */
export const sendsPerSecondMax = { conversation: 7, tenant: 30 } as const;

/** Conversations remembered at once; their last second is all that is remembered of them. */
const rememberedMax = 2_000;

export interface SendRateLimiter {
  /**
   * Takes a place among this second's sends. @throws DeliveryFault `paced`, with how long to wait, when there is none:
   * waiting is the relay's, which meanwhile goes on with others.
   */
  take(conversation: string): void;
}

export function createSendRateLimiter(now: () => number): SendRateLimiter {
  const conversations = new Map<string, readonly number[]>();
  let tenant: readonly number[] = [];
  return {
    take(conversation) {
      const at = now();
      const own = recent(conversations.get(conversation) ?? [], at);
      tenant = recent(tenant, at);
      const wait = Math.max(
        waitOf(own, sendsPerSecondMax.conversation, at),
        waitOf(tenant, sendsPerSecondMax.tenant, at),
      );
      if (wait > 0) throw new DeliveryFault("paced", { retryable: true, retryAfterMs: wait });
      tenant = [...tenant, at];
      conversations.delete(conversation);
      conversations.set(conversation, [...own, at]);
      const [oldest] = conversations.keys();
      if (conversations.size > rememberedMax && oldest !== undefined) conversations.delete(oldest);
    },
  };
}

function recent(sends: readonly number[], at: number): readonly number[] {
  return sends.filter((one) => at - one < secondMs);
}

/** Until the oldest send of a full second is a second old. */
function waitOf(sends: readonly number[], max: number, at: number): number {
  const [oldest] = sends;
  return sends.length < max || oldest === undefined ? 0 : oldest + secondMs - at;
}
