import { DeliveryFault } from "../../../service/messaging/messenger.ts";
import { TokenFault } from "./access-token.ts";
import { BotConnectorFault } from "./bot-connector.ts";

/** What a failed call means for the message it was to carry. */
export function deliveryFaultOf(error: unknown): DeliveryFault {
  if (error instanceof DeliveryFault) return error;
  // Our own sign-in: nobody gets through until it works again.
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
    // Teams asks for a repetition with these two.
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
