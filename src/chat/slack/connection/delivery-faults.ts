import { DeliveryFault } from "../../../service/messaging/messenger.ts";

/** Answers of Slack's that another attempt may change. */
const passing: ReadonlySet<string> = new Set([
  "fatal_error",
  "internal_error",
  "request_timeout",
  "service_unavailable",
  "team_added_to_org",
  "update_failed",
  "ratelimited",
  "rate_limited",
]);

/** Answers that say that nobody gets through with our token. */
const locked: ReadonlySet<string> = new Set([
  "account_inactive",
  "invalid_auth",
  "not_authed",
  "token_revoked",
  "token_expired",
  "missing_scope",
  "org_login_required",
]);

/** What a failed call to Slack's Web API means for the message it was to carry. Recognised by code, never by its text. */
export function deliveryFaultOf(error: unknown): DeliveryFault {
  if (error instanceof DeliveryFault) return error;
  const code = fieldOf(error, "code");
  if (code === "slack_webapi_rate_limited_error") {
    const seconds = Number(fieldOf(error, "retryAfter"));
    const retryAfterMs = Number.isFinite(seconds) ? seconds * 1_000 : 30_000;
    return new DeliveryFault("rate_limited", { retryable: true, retryAfterMs });
  }
  if (code === "slack_webapi_platform_error") {
    const errorCode = String(fieldOf(fieldOf(error, "data"), "error"));
    if (locked.has(errorCode)) return new DeliveryFault(errorCode, { retryable: true, isSurfaceDown: true });
    return new DeliveryFault(errorCode, { retryable: passing.has(errorCode) });
  }
  if (code === "slack_webapi_http_error") {
    return new DeliveryFault("server_error", { retryable: true, isSurfaceDown: true });
  }
  // Anything but Slack's own errors is a fault of ours, in this one message; others must not wait for it.
  const isUnreached = code === "slack_webapi_request_error";
  return new DeliveryFault(isUnreached ? "unreachable" : "internal", {
    retryable: true,
    isSurfaceDown: isUnreached,
  });
}

/** Slack's own word for why it said no; undefined when it did not answer. */
export function slackErrorOf(error: unknown): string | undefined {
  const errorCode = fieldOf(fieldOf(error, "data"), "error");
  return typeof errorCode === "string" ? errorCode : undefined;
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
}
