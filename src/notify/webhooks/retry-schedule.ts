import type { Instant } from "../../core/values/ids.ts";
import { dayMs, hourMs, minuteMs, secondMs } from "../../core/values/time.ts";

/** Waits between attempts, by the Standard Webhooks specification. After the last one it repeats. */
export const retryDelaysMs = [
  5 * secondMs,
  5 * minuteMs,
  30 * minuteMs,
  2 * hourMs,
  5 * hourMs,
  10 * hourMs,
  14 * hourMs,
  20 * hourMs,
  24 * hourMs,
] as const;

/** A receiver that accepted nothing for this long is considered gone. */
export const goneAfterMs = 5 * dayMs;

/** Waits are up to this fraction longer, so that receivers that failed together are not called together. */
const jitter = 0.1;
const retryAfterMaxMs = dayMs;

/** How long to wait after this many failed attempts. `random`: 0 to 1. */
export function waitMs(attempts: number, random: number): number {
  const planned = retryDelaysMs[Math.min(attempts, retryDelaysMs.length) - 1] ?? 0;
  return Math.round(planned * (1 + jitter * random));
}

/** The wait that a `Retry-After` header requests, at most a day; undefined when it cannot be parsed. */
export function retryAfterMs(header: string | undefined, now: Instant): number | undefined {
  if (header === undefined) return undefined;
  const requested = /^\d{1,9}$/.test(header) ? Number(header) * secondMs : Date.parse(header) - now;
  return Number.isNaN(requested) ? undefined : Math.min(Math.max(requested, 0), retryAfterMaxMs);
}
