import { DeliveryFault } from "../../../service/messaging/messenger.ts";
import { TokenFault } from "./access-token.ts";
import { BotConnectorFault } from "./bot-connector.ts";

/** Translates a failed call to Teams into the fault of the message it was sending. */
export function deliveryFaultOf(error: unknown): DeliveryFault {
  if (error instanceof DeliveryFault) return error;
  // Without our sign-in no message can be sent.
  if (error instanceof TokenFault) {
    return new DeliveryFault(error.code, { retryable: true, isSurfaceDown: true });
  }
  return error instanceof BotConnectorFault
    ? faultOf(error)
    : new DeliveryFault("internal", { retryable: true });
}

function faultOf({ status, code, retryAfterMs }: BotConnectorFault): DeliveryFault {
  const later = retryAfterMs !== undefined && { retryAfterMs };
  switch (status) {
    case null:
      return new DeliveryFault(code, { retryable: true, isSurfaceDown: true });
    case 401:
      return new DeliveryFault("unauthorized", { retryable: true, isSurfaceDown: true });
    case 403:
      return new DeliveryFault("not_installed", { retryable: false });
    case 404:
      return new DeliveryFault("conversation_not_found", { retryable: false });
    case 413:
      return new DeliveryFault("too_large", { retryable: false });
    case 429:
      return new DeliveryFault("rate_limited", { retryable: true, ...later });
    case 408:
    // Teams asks us to retry with these two.
    case 409:
    case 412:
      return new DeliveryFault("conflict", { retryable: true, ...later });
    case 502:
    case 503:
    case 504:
      return new DeliveryFault("server_error", { retryable: true, isSurfaceDown: true, ...later });
    default:
      return status >= 500
        ? new DeliveryFault("server_error", { retryable: true, ...later })
        : new DeliveryFault(code, { retryable: false });
  }
}
