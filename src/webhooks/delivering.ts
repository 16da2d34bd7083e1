import type { Instant } from "../core/ids.ts";
import { secondMs } from "../core/time.ts";
import type { Webhook } from "../core/webhook.ts";
import { OutgoingFault, type GuardedFetch } from "../outgoing/guarded-fetch.ts";
import { signedHeaders, type Message } from "./message.ts";
import { retryAfterMs } from "./schedule.ts";

/** How long a receiver may take. */
export const attemptMs = 15 * secondMs;

/** What came of one attempt. Codes: `http_500`, `timeout`, `address_refused`, or the system's own. */
export type Outcome =
  | { readonly kind: "delivered" }
  /** 410: the receiver wants no more, ever. */
  | { readonly kind: "gone"; readonly code: string }
  | { readonly kind: "failed"; readonly code: string; readonly retryAfterMs?: number }
  /** We ourselves broke it off. */
  | { readonly kind: "stopped" };

export type Deliver = (webhook: Webhook, message: Message, signal: AbortSignal) => Promise<Outcome>;

/** One attempt: a signed POST. Only 2xx is success; a redirect is a failure like any other. */
export function createDelivery(guardedFetch: GuardedFetch, now: () => Instant): Deliver {
  return async (webhook, message, signal) => {
    try {
      const answer = await guardedFetch({
        url: webhook.url,
        method: "POST",
        headers: {
          "content-type": "application/json",
          "user-agent": "jit-access",
          ...signedHeaders(message, webhook.secret, now()),
        },
        body: message.body,
        reach: webhook.allowPrivate ? "private too" : "public",
        timeoutMs: attemptMs,
        signal,
      });
      const { status } = answer;
      if (status >= 200 && status < 300) return { kind: "delivered" };
      const code = `http_${status}`;
      if (status === 410) return { kind: "gone", code };
      const asked = retryAfterMs(answer.header("retry-after"), now());
      return { kind: "failed", code, ...(asked !== undefined && { retryAfterMs: asked }) };
    } catch (error) {
      if (!(error instanceof OutgoingFault)) throw error;
      return error.code === "stopped" ? { kind: "stopped" } : { kind: "failed", code: error.code };
    }
  };
}
