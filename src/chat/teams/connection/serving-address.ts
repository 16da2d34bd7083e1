import { BotConnectorFault } from "./bot-connector.ts";

/**
 * Makes a call at the first of these addresses that serves the conversation: addresses move, and the bot is told only by
 * the next activity of each conversation. `call` must do nothing at an address that refuses it.
 *
 * @throws what the first address with a definite answer said, else what the last one did
 */
export async function atServingAddress<T>(
  serviceUrls: readonly string[],
  call: (serviceUrl: string) => Promise<T>,
): Promise<{ readonly serviceUrl: string; readonly result: T }> {
  let failure: unknown = new BotConnectorFault(404, "no_address");
  let isDefinite = false;
  for (const serviceUrl of serviceUrls) {
    try {
      return { serviceUrl, result: await call(serviceUrl) };
    } catch (error) {
      if (!isServedElsewhere(error)) throw error;
      // An address that is gone for good must not read as if all of Teams were down.
      if (!isDefinite) failure = error;
      isDefinite ||= error.status !== null;
    }
  }
  throw failure;
}

/** What an address says, or does not say, that the conversation has moved away from. */
function isServedElsewhere(error: unknown): error is BotConnectorFault {
  if (!(error instanceof BotConnectorFault)) return false;
  const { status, code } = error;
  return status === 403 || status === 404 || status === 410 || (status === null && code === "unreachable");
}
