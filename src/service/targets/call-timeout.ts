import { secondMs } from "../../core/values/time.ts";
import { ConnectorFault } from "../ports/connector.ts";
import type { Release } from "../async/keyed-mutex.ts";

/** How long a call may take to end after it was told to. */
const endGraceMs = 5 * secondMs;

/**
 * The outcome of a call to a target. One that does not end when it is told to is given up a little later: whatever it
 * still does there, the orphan sweep finds.
 */
export async function withGracePeriod<T>(
  call: Promise<T>,
  signal: AbortSignal,
  graceMs = endGraceMs,
): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  let timer: NodeJS.Timeout | undefined;
  const giveUp = (): void => {
    timer = setTimeout(() => reject(noAnswer()), graceMs);
  };
  signal.addEventListener("abort", giveUp, { once: true });
  try {
    return await Promise.race([call, promise]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", giveUp);
  }
}

function noAnswer(): ConnectorFault {
  return new ConnectorFault("timeout", "the target does not answer", { retryable: true, isTargetDown: true });
}

/** One's turn, unless patience ends first; a turn that comes too late is given back. */
export async function acquireUnlessAborted(turn: Promise<Release>, signal: AbortSignal): Promise<Release> {
  const { promise, reject } = Promise.withResolvers<never>();
  // Waiting for one's turn says nothing about the target.
  const giveUp = (): void =>
    reject(new ConnectorFault("timeout", "others are at this object for long", { retryable: true }));
  if (signal.aborted) giveUp();
  signal.addEventListener("abort", giveUp, { once: true });
  try {
    return await Promise.race([turn, promise]);
  } catch (error) {
    void turn.then((release) => release());
    throw error;
  } finally {
    signal.removeEventListener("abort", giveUp);
  }
}
