import type { Instant } from "../../core/values/ids.ts";
import type { Webhook } from "../../core/audit/webhook-subscription.ts";
import type { GuardedPost } from "../../http-client/guarded-post.ts";
import { OutgoingFault } from "../../http-client/outgoing-fault.ts";
import { signedHeaders, type Message } from "./webhook-message.ts";
import { retryAfterMs } from "./retry-schedule.ts";

/** Far above any record there is: one that were never sent would hold up all that follow. */
const bodyLengthMax = 32 * 1_024 * 1_024;

/** What came of one attempt. Codes: `http_500`, `timeout`, `private_address`, or the system's own. */
export type DeliveryResult =
  | { readonly kind: "delivered" }
  /** 410: the receiver wants no more, ever. */
  | { readonly kind: "gone"; readonly code: string }
  | { readonly kind: "failed"; readonly code: string; readonly retryAfterMs?: number }
  /** We ourselves broke it off. */
  | { readonly kind: "stopped" };

export type Deliver = (webhook: Webhook, message: Message, signal: AbortSignal) => Promise<DeliveryResult>;

/** One attempt: a signed POST. Only 2xx is success; a redirect is a failure like any other. */
export function createDelivery(post: GuardedPost, now: () => Instant): Deliver {
  return async (webhook, message, signal) => {
    const headers = {
      "content-type": "application/json",
      ...signedHeaders(message, webhook.secret, now()),
    };
    const { url, allowPrivate } = webhook;
    try {
      const answer = await post({
        url,
        headers,
        body: message.body,
        allowPrivate,
        signal,
        discardBody: true,
        bodyLengthMax,
      });
      const { status } = answer;
      if (status >= 200 && status < 300) return { kind: "delivered" };
      const code = `http_${status}`;
      if (status === 410) return { kind: "gone", code };
      const asked = retryAfterMs(answer.retryAfter, now());
      return { kind: "failed", code, ...(asked !== undefined && { retryAfterMs: asked }) };
    } catch (error) {
      if (!(error instanceof OutgoingFault)) throw error;
      return signal.aborted ? { kind: "stopped" } : { kind: "failed", code: error.reason };
    }
  };
}
