import { randomUUID } from "node:crypto";
import { Webhook } from "standardwebhooks";
import type { WebhookSettings } from "../../core/values/connector-settings.ts";
import type { Instant } from "../../core/values/ids.ts";
import { formatInstant } from "../../core/values/time.ts";
import { guardedPost } from "../../http-client/guarded-post.ts";
import { OutgoingFault } from "../../http-client/outgoing-fault.ts";
import { networkReason } from "../shared/network-reason.ts";
import { ConnectorFault } from "../../service/ports/connector.ts";
import type { Owner } from "../shared/label.ts";

/** The calls that a receiver must support; see docs/connectors/webhook.md. */
export type CallType = "grant.provision" | "grant.issue" | "grant.revoke" | "grant.list";

/** Calls the receiver. @returns the fields of its response. @throws ConnectorFault */
export type Call = (
  type: CallType,
  data: Readonly<Record<string, unknown>>,
  signal: AbortSignal,
  /** The same for every repeat of one operation; left out: a new id. */
  id?: string,
) => Promise<ReadonlyMap<string, unknown>>;

/** A listing of all objects may be long. */
const responseLengthMax = 4 * 1_024 * 1_024;

/** Calls are signed by Standard Webhooks: the receiver verifies `webhook-id.webhook-timestamp.body`. */
export function webhookCalls(settings: WebhookSettings, owner: Owner, now: () => Instant): Call {
  const { name, url, allowPrivate } = settings;
  const webhook = new Webhook(settings.secret);
  return async (type, data, signal, id = `msg_${randomUUID()}`) => {
    const at = now();
    const body = JSON.stringify({ type, timestamp: formatInstant(at), data: { ...owner, ...data } });
    const headers = {
      "content-type": "application/json",
      accept: "application/json",
      "webhook-id": id,
      "webhook-timestamp": String(Math.floor(at / 1_000)),
      "webhook-signature": webhook.sign(id, new Date(at), body),
    };
    try {
      const response = await guardedPost({
        url,
        headers,
        body,
        allowPrivate,
        signal,
        responseLengthMax,
      });
      if (response.status < 200 || response.status > 299) throw badStatus(name, response.status);
      return fieldsOf(response.body);
    } catch (error) {
      throw webhookFault(name, error);
    }
  };
}

function badStatus(name: string, status: number): ConnectorFault {
  const message = `${name}: the receiver answers ${status}.`;
  const reason = statusReason(status);
  if (status === 401 || status === 403)
    return new ConnectorFault("not_permitted", message, { retryable: false, reason });
  if (status === 409) return new ConnectorFault("foreign_object", message, { retryable: false, reason });
  const isDown = status === 429 || status >= 502;
  const retryable = isDown || status === 408 || status === 500;
  return new ConnectorFault(isDown ? "unreachable" : "refused", message, {
    retryable,
    isTargetDown: isDown,
    reason,
  });
}

function statusReason(status: number): string {
  if (status === 401 || status === 403) return `the receiver does not accept our signature (HTTP ${status})`;
  if (status === 409) return "the receiver has something of this name that is not ours (HTTP 409)";
  if (status === 404) return "the receiver has nothing at this address (HTTP 404)";
  if (status >= 300 && status < 400) return `the receiver redirects, which is not followed (HTTP ${status})`;
  if (status === 429) return "the receiver requests fewer calls (HTTP 429)";
  return status >= 500 ? `the receiver failed (HTTP ${status})` : `the receiver refused (HTTP ${status})`;
}

const outgoingReasons = {
  private_address: "its address is private; allowPrivate would allow it",
  refused_url: "its url must begin with https:// and contain no password",
  too_large: "its response or our request is too large",
} as const;

function webhookFault(name: string, error: unknown): unknown {
  if (!(error instanceof OutgoingFault)) return error;
  const message = `${name}: ${error.message}`;
  switch (error.code) {
    case "unreachable":
    case "timeout":
      return new ConnectorFault(error.code, message, {
        retryable: true,
        isTargetDown: true,
        reason: networkReason(error.reason),
      });
    case "private_address":
    case "refused_url":
    case "too_large":
      return new ConnectorFault("refused", message, {
        retryable: false,
        reason: outgoingReasons[error.code],
      });
  }
}

/** A response that is empty or not a JSON object has no fields. */
function fieldsOf(body: string): ReadonlyMap<string, unknown> {
  try {
    const parsed: unknown = JSON.parse(body);
    return new Map(typeof parsed === "object" && parsed !== null ? Object.entries(parsed) : []);
  } catch {
    return new Map();
  }
}
