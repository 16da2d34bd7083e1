import { secondMs } from "../../core/values/time.ts";
import { ConnectorFault } from "../ports/connector.ts";
import type { Release } from "../async/keyed-mutex.ts";

/** How long a call may take to end after it was aborted. */
const endGraceMs = 5 * secondMs;

/**
 * Result of a call to a target. A call that ignores its abort signal is abandoned after a grace period; the orphan
 * sweep finds whatever it still creates.
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

/** The lock, unless the signal aborts first. A lock that is granted too late is released. */
export async function acquireUnlessAborted(lock: Promise<Release>, signal: AbortSignal): Promise<Release> {
  const { promise, reject } = Promise.withResolvers<never>();
  // Waiting for the lock says nothing about the target.
  const giveUp = (): void =>
    reject(new ConnectorFault("timeout", "other calls are using this object", { retryable: true }));
  if (signal.aborted) giveUp();
  signal.addEventListener("abort", giveUp, { once: true });
  try {
    return await Promise.race([lock, promise]);
  } catch (error) {
    void lock.then((release) => release());
    throw error;
  } finally {
    signal.removeEventListener("abort", giveUp);
  }
}
