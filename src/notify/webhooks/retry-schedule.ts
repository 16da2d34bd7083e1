import type { Instant } from "../../core/values/ids.ts";
import { dayMs, hourMs, minuteMs, secondMs } from "../../core/values/time.ts";

/** The waits between attempts that the specification of Standard Webhooks gives; from then on the last. */
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

/** A receiver that has answered nothing right for so long is gone. */
export const goneAfterMs = 5 * dayMs;

/** Waits are longer by up to this part, so that receivers that failed together are not called together. */
const jitter = 0.1;
const retryAfterMaxMs = dayMs;

/** How long to wait after so many failed attempts. `chance`: 0 to 1. */
export function waitMs(attempts: number, random: number): number {
  const planned = retryDelaysMs[Math.min(attempts, retryDelaysMs.length) - 1] ?? 0;
  return Math.round(planned * (1 + jitter * random));
}

/** What a `Retry-After` asks for, in milliseconds from now, at most a day; undefined when it says nothing readable. */
export function retryAfterMs(header: string | undefined, now: Instant): number | undefined {
  if (header === undefined) return undefined;
  const asked = /^\d{1,9}$/.test(header) ? Number(header) * secondMs : Date.parse(header) - now;
  return Number.isNaN(asked) ? undefined : Math.min(Math.max(asked, 0), retryAfterMaxMs);
}
