import { backOffMs } from "../../../core/values/back-off.ts";
import { minuteMs } from "../../../core/values/time.ts";

/** A fetched value and, in epoch milliseconds, how long it is good. */
export interface Fetched<T> {
  readonly value: T;
  /** From here on a new one is fetched, while this one goes on being used. */
  readonly freshUntil: number;
  /** From here on it is not used any more. */
  readonly usableUntil: number;
}

/**
 * A value that is fetched from elsewhere and kept. Whoever has a usable one never waits for the place it comes from:
 * the next one is fetched beside (stale-while-revalidate), by one fetch at a time, and after a failure not before a
 * growing wait is over.
 */
export interface RefreshedValue<T> {
  /** Undefined: there is none that may be used. */
  usable(): T | undefined;
  isFresh(): boolean;
  /** Fetches a new one, or joins the fetch that is under way. @throws the last failure, at once, while it must wait. */
  refresh(): Promise<T>;
  /** As {@link RefreshedValue.refresh}, without waiting for it. */
  refreshInBackground(): void;
  /**
   * The value was refused where it was used. A new one may be fetched at once; when that one is refused within a minute
   * as well, `failure` is thrown until a wait is over.
   */
  discard(failure: unknown): void;
}

const backOffMaxMs = minuteMs;
const refusedAgainMs = minuteMs;

export function createRefreshedValue<T>(
  fetchValue: () => Promise<Fetched<T>>,
  now: () => number,
  random: () => number = Math.random,
): RefreshedValue<T> {
  let held: Fetched<T> | undefined;
  let fetching: Promise<T> | undefined;
  let failures = 0;
  let failure: unknown;
  let notBefore = Number.NEGATIVE_INFINITY;
  let discardedAt = Number.NEGATIVE_INFINITY;

  const backOff = (reason: unknown): void => {
    failure = reason;
    failures++;
    notBefore = now() + backOffMs(failures, backOffMaxMs, random());
  };

  const fetchOnce = async (): Promise<T> => {
    try {
      held = await fetchValue();
      failures = 0;
      return held.value;
    } catch (error) {
      backOff(error);
      throw error;
    }
  };

  const refresh = async (): Promise<T> => {
    if (fetching !== undefined) return fetching;
    if (now() < notBefore) throw failure;
    fetching = fetchOnce().finally(() => {
      fetching = undefined;
    });
    return fetching;
  };

  return {
    usable: () => (held !== undefined && now() < held.usableUntil ? held.value : undefined),
    isFresh: () => held !== undefined && now() < held.freshUntil,
    refresh,
    refreshInBackground: () => void refresh().catch(() => undefined),
    discard(reason) {
      held = undefined;
      if (now() - discardedAt < refusedAgainMs) backOff(reason);
      discardedAt = now();
    },
  };
}
