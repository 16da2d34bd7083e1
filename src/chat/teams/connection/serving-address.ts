import { BotConnectorFault } from "./bot-connector.ts";

/**
 * Makes a call at the first of these addresses that serves the conversation. Several are tried, because addresses move
 * and the bot learns the new one only from the next activity. A refused `call` must have no effect.
 *
 * @throws the first definite answer, or else the last failure
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
      // An address that no longer exists must not look like an outage of Teams.
      if (!isDefinite) failure = error;
      isDefinite ||= error.status !== null;
    }
  }
  throw failure;
}

/** Whether the failure means that the conversation is served at another address. */
function isServedElsewhere(error: unknown): error is BotConnectorFault {
  if (!(error instanceof BotConnectorFault)) return false;
  const { status, code } = error;
  return status === 403 || status === 404 || status === 410 || (status === null && code === "unreachable");
}
