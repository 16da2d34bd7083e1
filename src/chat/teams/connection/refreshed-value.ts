import { backOffMs } from "../../../core/values/back-off.ts";
import { minuteMs } from "../../../core/values/time.ts";

/** A fetched value and its lifetime, in epoch milliseconds. */
export interface Fetched<T> {
  readonly value: T;
  /** After this a new value is fetched, while this one stays in use. */
  readonly freshUntil: number;
  /** After this the value is not used any more. */
  readonly usableUntil: number;
}

/**
 * A cached value that is refreshed in the background (stale-while-revalidate). Callers with a usable value never wait
 * for its source. One fetch runs at a time, and failures are followed by a growing delay.
 */
export interface RefreshedValue<T> {
  /** Undefined: there is no value that may be used. */
  usable(): T | undefined;
  isFresh(): boolean;
  /** Fetches a value, or joins the fetch in progress. @throws the last failure at once, during the delay after it. */
  refresh(): Promise<T>;
  /** Like {@link RefreshedValue.refresh}, without waiting. */
  refreshInBackground(): void;
  /**
   * Discards a value that was refused where it was used. A new one may be fetched at once; if that one is refused within
   * a minute too, `failure` is thrown until a delay is over.
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
