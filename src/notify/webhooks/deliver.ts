import type { Instant } from "../../core/values/ids.ts";
import type { Webhook } from "../../core/audit/webhook-subscription.ts";
import type { GuardedPost } from "../../http-client/guarded-post.ts";
import { OutgoingFault } from "../../http-client/outgoing-fault.ts";
import { signedHeaders, type Message } from "./webhook-message.ts";
import { retryAfterMs } from "./retry-schedule.ts";

/** Far larger than any record, because a record that cannot be sent would block all that follow. */
const bodyLengthMax = 32 * 1_024 * 1_024;

/** The result of one attempt. Codes: `http_500`, `timeout`, `private_address`, or the system's error code. */
export type DeliveryResult =
  | { readonly kind: "delivered" }
  /** 410: the receiver does not want events any more. */
  | { readonly kind: "gone"; readonly code: string }
  | { readonly kind: "failed"; readonly code: string; readonly retryAfterMs?: number }
  /** We aborted the attempt. */
  | { readonly kind: "stopped" };

export type Deliver = (webhook: Webhook, message: Message, signal: AbortSignal) => Promise<DeliveryResult>;

/** Sends one signed POST. Only 2xx is a success; a redirect is a failure like any other. */
export function createDelivery(post: GuardedPost, now: () => Instant): Deliver {
  return async (webhook, message, signal) => {
    const headers = {
      "content-type": "application/json",
      ...signedHeaders(message, webhook.secret, now()),
    };
    const { url, allowPrivate } = webhook;
    try {
      const response = await post({
        url,
        headers,
        body: message.body,
        allowPrivate,
        signal,
        discardBody: true,
        bodyLengthMax,
      });
      const { status } = response;
      if (status >= 200 && status < 300) return { kind: "delivered" };
      const code = `http_${status}`;
      if (status === 410) return { kind: "gone", code };
      const requestedMs = retryAfterMs(response.retryAfter, now());
      return { kind: "failed", code, ...(requestedMs !== undefined && { retryAfterMs: requestedMs }) };
    } catch (error) {
      if (!(error instanceof OutgoingFault)) throw error;
      return signal.aborted ? { kind: "stopped" } : { kind: "failed", code: error.reason };
    }
  };
}
