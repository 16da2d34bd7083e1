import type { CheckFinding } from "../../service/ports/connector.ts";

/** A finding about something that was looked at or tried: in order, or a problem with what fixes it. */
export function finding(what: string, isInOrder: boolean, fix?: string): CheckFinding {
  if (isInOrder) return { what, result: "in_order" };
  return { what, result: "problem", ...(fix !== undefined && { fix }) };
}

/**
 * A finding about something that cannot be tried without a change, or is out of reach. `why` completes the sentence
 * "… is not verified: why". `fix` is what lets the check verify it, or how to verify it by hand.
 */
export function notVerified(what: string, why: string, fix?: string): CheckFinding {
  const sentence = `${what} is not verified: ${why}`;
  return { what: sentence, result: "not_verified", ...(fix !== undefined && { fix }) };
}
