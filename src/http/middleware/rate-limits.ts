import type { FastifyRequest } from "fastify";
import { refuse } from "../../core/values/refusals.ts";
import { minuteMs } from "../../core/values/time.ts";
import { callerOf, type App } from "./route-access.ts";
import { RefusalError } from "../formats/problems.ts";

/** The most keys and addresses counted at once; the least recently seen are dropped first. */
const trackedMax = 20_000;

export type InvalidCredential = "api_key" | "token";

/**
 * Calls per minute, in memory, in fixed windows. A call with a valid key counts for that key alone, any other for its
 * address (IPv6 by /64), so that neighbours cannot use up a key's limit. See docs/api.md#rate-limits.
 */
export interface Limits {
  /** Counts a call with a valid key. @throws RefusalError `rate_limited` */
  countKey(request: FastifyRequest): Promise<void>;
  /** Counts a call without a valid key. @throws RefusalError `rate_limited` */
  countAddress(request: FastifyRequest): Promise<void>;
  /** Counts a token that did not allow what was asked; true when the address has had too many of those. */
  isFailureLimitExceeded(request: FastifyRequest): Promise<boolean>;
  /** Counts the same, for callers who may learn of the limit. @throws RefusalError `rate_limited` */
  countFailure(request: FastifyRequest): Promise<void>;
  /** Reports an invalid key or token, because somebody may be guessing. */
  readonly reportInvalid: (kind: InvalidCredential) => void;
}

/** Needs `@fastify/rate-limit` registered on `app`. */
export function createLimits(app: App, perMinute: number, reportInvalid: Limits["reportInvalid"]): Limits {
  const window = { max: perMinute, timeWindow: minuteMs, cache: trackedMax };
  const keys = app.createRateLimit({ ...window, keyGenerator: (request) => callerOf(request).key?.id ?? "" });
  const addresses = app.createRateLimit(window);
  const failures = app.createRateLimit(window);

  const secondsUntilAllowed = async (
    count: typeof keys,
    request: FastifyRequest,
  ): Promise<number | undefined> => {
    const counted = await count(request);
    return !counted.isAllowed && counted.isExceeded ? counted.ttlInSeconds : undefined;
  };
  const countOrRefuse = async (count: typeof keys, request: FastifyRequest): Promise<void> => {
    const retryAfterSeconds = await secondsUntilAllowed(count, request);
    if (retryAfterSeconds === undefined) return;
    const detail = `Rate limit exceeded: ${perMinute} calls per minute. Try again shortly.`;
    throw new RefusalError(refuse("rate_limited", detail, { retryAfterSeconds }));
  };

  return {
    reportInvalid,
    countKey: (request) => countOrRefuse(keys, request),
    countAddress: (request) => countOrRefuse(addresses, request),
    countFailure: (request) => countOrRefuse(failures, request),
    isFailureLimitExceeded: async (request) => (await secondsUntilAllowed(failures, request)) !== undefined,
  };
}
