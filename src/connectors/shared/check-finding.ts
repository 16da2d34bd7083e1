import type { CheckFinding } from "../../service/ports/connector.ts";

/** A finding about something that was verified: in order, or a problem with its fix. */
export function finding(what: string, isInOrder: boolean, fix?: string): CheckFinding {
  if (isInOrder) return { what, result: "in_order" };
  return { what, result: "problem", ...(fix !== undefined && { fix }) };
}

/**
 * A finding about something that cannot be verified without a change, or is out of reach. `why` completes the sentence
 * "… is not verified: why". `fix` lets the check verify it, or says how to verify it by hand.
 */
export function notVerified(what: string, why: string, fix?: string): CheckFinding {
  const sentence = `${what} is not verified: ${why}`;
  return { what: sentence, result: "not_verified", ...(fix !== undefined && { fix }) };
}
