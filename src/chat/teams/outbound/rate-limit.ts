import { secondMs } from "../../../core/values/time.ts";
import { DeliveryFault } from "../../../service/messaging/messenger.ts";

/** Teams accepts this many messages of one bot; it answers more with 429 and slows down everything. */
export const sendsPerSecondMax = { conversation: 7, tenant: 30 } as const;

/** How many conversations are counted at once; for each we keep the sends of the last second. */
const rememberedMax = 2_000;

export interface SendRateLimiter {
  /**
   * Counts one send. The relay does the waiting, because it can send other messages meanwhile.
   *
   * @throws DeliveryFault `paced`, with the time to wait, when the limit is reached
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

/** The time until the oldest send of a full second is a second old. */
function waitOf(sends: readonly number[], max: number, at: number): number {
  const [oldest] = sends;
  return sends.length < max || oldest === undefined ? 0 : oldest + secondMs - at;
}
