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

/** What a receiver may be asked; see docs/connectors/webhook.md. */
export type CallType = "grant.provision" | "grant.issue" | "grant.revoke" | "grant.list";

/** Calls the receiver, gives the fields of its answer. @throws ConnectorFault */
export type Call = (
  type: CallType,
  data: Readonly<Record<string, unknown>>,
  signal: AbortSignal,
  /** The same for the same deed; left out: every call is another. */
  id?: string,
) => Promise<ReadonlyMap<string, unknown>>;

/** A listing of everything may be long. */
const answerLengthMax = 4 * 1_024 * 1_024;

/** Signed as Standard Webhooks has it: the receiver checks `webhook-id.webhook-timestamp.body`. */
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
      const answer = await guardedPost({
        url,
        headers,
        body,
        allowPrivate,
        signal,
        responseLengthMax: answerLengthMax,
      });
      if (answer.status < 200 || answer.status > 299) throw badStatus(name, answer.status);
      return fieldsOf(answer.body);
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
  if (status === 429) return "the receiver wants fewer calls (HTTP 429)";
  return status >= 500
    ? `the receiver is in trouble (HTTP ${status})`
    : `the receiver refused (HTTP ${status})`;
}

const outgoingReasons = {
  private_address: "its address is a private one, which allowPrivate would allow",
  refused_url: "its url must begin with https:// and hold no password",
  too_large: "its answer, or what it was to be sent, is too large",
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

/** An answer that is empty, or no JSON object, says nothing. */
function fieldsOf(body: string): ReadonlyMap<string, unknown> {
  try {
    const parsed: unknown = JSON.parse(body);
    return new Map(typeof parsed === "object" && parsed !== null ? Object.entries(parsed) : []);
  } catch {
    return new Map();
  }
}
