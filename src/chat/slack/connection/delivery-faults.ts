import { DeliveryFault } from "../../../service/messaging/messenger.ts";

/** Error codes that may not occur at another attempt. */
const temporary: ReadonlySet<string> = new Set([
  "fatal_error",
  "internal_error",
  "request_timeout",
  "service_unavailable",
  "team_added_to_org",
  "update_failed",
  "ratelimited",
  "rate_limited",
]);

/** Error codes that concern our token, so that no message can be sent. */
const tokenErrors: ReadonlySet<string> = new Set([
  "account_inactive",
  "invalid_auth",
  "not_authed",
  "token_revoked",
  "token_expired",
  "missing_scope",
  "org_login_required",
]);

/** Translates a failed call of the Web API into the fault of the message it was sending, by the error's code. */
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
    if (tokenErrors.has(errorCode)) {
      return new DeliveryFault(errorCode, { retryable: true, isSurfaceDown: true });
    }
    return new DeliveryFault(errorCode, { retryable: temporary.has(errorCode) });
  }
  if (code === "slack_webapi_http_error") {
    return new DeliveryFault("server_error", { retryable: true, isSurfaceDown: true });
  }
  // Any other error is our own and concerns this one message, so others must not wait for it.
  const isUnreachable = code === "slack_webapi_request_error";
  return new DeliveryFault(isUnreachable ? "unreachable" : "internal", {
    retryable: true,
    isSurfaceDown: isUnreachable,
  });
}

/** Slack's error code; undefined when it did not answer. */
export function slackErrorOf(error: unknown): string | undefined {
  const errorCode = fieldOf(fieldOf(error, "data"), "error");
  return typeof errorCode === "string" ? errorCode : undefined;
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
}
