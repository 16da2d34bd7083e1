import type { FastifyRequest } from "fastify";
import { refuse } from "../../core/values/refusals.ts";
import { minuteMs } from "../../core/values/time.ts";
import { callerOf, type App } from "./route-access.ts";
import { RefusalError } from "../formats/problems.ts";

/** Keys and addresses remembered at once; the ones not seen for longest are forgotten first. */
const rememberedMax = 20_000;

export type InvalidCredential = "api_key" | "token";

/**
 * Calls per minute, counted in memory in fixed windows. A valid key is never held up by what others do at the same
 * address: its calls count for the key alone, all others for the address (IPv6 by /64).
 */
export interface Limits {
  /** Counts a call with a valid key. @throws Refused `rate_limited` */
  countKey(request: FastifyRequest): Promise<void>;
  /** Counts a call without one. @throws Refused `rate_limited` */
  countAddress(request: FastifyRequest): Promise<void>;
  /** Counts a token that was not good for what it was presented for; true when there were too many. */
  isFailureLimitExceeded(request: FastifyRequest): Promise<boolean>;
  /** The same for those who may be told. @throws Refused `rate_limited` */
  countFailure(request: FastifyRequest): Promise<void>;
  /** Reports that a key or token was presented that is not valid: somebody may be guessing. */
  readonly reportInvalid: (kind: InvalidCredential) => void;
}

/** Needs `@fastify/rate-limit` registered on `app`. */
export function createLimits(app: App, perMinute: number, reportInvalid: Limits["reportInvalid"]): Limits {
  const window = { max: perMinute, timeWindow: minuteMs, cache: rememberedMax };
  const keys = app.createRateLimit({ ...window, keyGenerator: (request) => callerOf(request).key?.id ?? "" });
  const addresses = app.createRateLimit(window);
  const failures = app.createRateLimit(window);

  const secondsTooSoon = async (count: typeof keys, request: FastifyRequest): Promise<number | undefined> => {
    const counted = await count(request);
    return !counted.isAllowed && counted.isExceeded ? counted.ttlInSeconds : undefined;
  };
  const refuseIfTooSoon = async (count: typeof keys, request: FastifyRequest): Promise<void> => {
    const retryAfterSeconds = await secondsTooSoon(count, request);
    if (retryAfterSeconds === undefined) return;
    const detail = `At most ${perMinute} calls a minute are answered here; wait a little.`;
    throw new RefusalError(refuse("rate_limited", detail, { retryAfterSeconds }));
  };

  return {
    reportInvalid,
    countKey: (request) => refuseIfTooSoon(keys, request),
    countAddress: (request) => refuseIfTooSoon(addresses, request),
    countFailure: (request) => refuseIfTooSoon(failures, request),
    isFailureLimitExceeded: async (request) => (await secondsTooSoon(failures, request)) !== undefined,
  };
}
