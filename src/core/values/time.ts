import { Temporal } from "temporal-polyfill";
import { instant, type Instant } from "./ids.ts";

export const secondMs = 1_000;
export const minuteMs = 60 * secondMs;
export const hourMs = 60 * minuteMs;
export const dayMs = 24 * hourMs;

/** Limits of every duration in a request or a file (docs/api.md#times-and-durations). */
export const durationMinMs = 1_000;
export const durationMaxMs = 30 * dayMs;

const unitMs = { d: dayMs, h: hourMs, m: minuteMs, s: secondMs } as const;
const shortPattern = /^(?:(\d{1,7})d)?(?:(\d{1,7})h)?(?:(\d{1,7})m)?(?:(\d{1,7})s)?$/;
const isoPattern = /^P(?:(\d{1,7})D)?(?:T(?=\d)(?:(\d{1,7})H)?(?:(\d{1,7})M)?(?:(\d{1,7})S)?)?$/;

/**
 * Parses `90s`, `30m`, `4h`, `1h30m`, `2d` or ISO 8601 (`PT4H`, `P1DT2H`) to milliseconds. Undefined for anything
 * else and outside 1 s to 30 d. Units come in order, each at most once, whole numbers only: `1,5h` must not become 15
 * h.
 */
export function parseDuration(text: string): number | undefined {
  const parts = shortPattern.exec(text) ?? isoPattern.exec(text);
  if (parts === null) return undefined;
  const [, days = "0", hours = "0", minutes = "0", seconds = "0"] = parts;
  const ms =
    Number(days) * dayMs + Number(hours) * hourMs + Number(minutes) * minuteMs + Number(seconds) * secondMs;
  return ms >= durationMinMs && ms <= durationMaxMs ? ms : undefined;
}

/** Formats a duration for {@link parseDuration}: `4h`, `1h30m`. Milliseconds are dropped. */
export function formatDuration(ms: number): string {
  let remaining = Math.max(0, ms);
  let text = "";
  for (const [unit, size] of Object.entries(unitMs)) {
    const count = Math.floor(remaining / size);
    if (count > 0) text += `${count}${unit}`;
    remaining -= count * size;
  }
  return text === "" ? "0s" : text;
}

/** Formats RFC 3339 in UTC with milliseconds, the one form of every time we output. */
export function formatInstant(at: Instant): string {
  const day = Math.floor(at / dayMs);
  const ms = at - day * dayMs;
  const hours = digits(Math.floor(ms / hourMs), 2);
  const minutes = digits(Math.floor(ms / minuteMs) % 60, 2);
  const seconds = digits(Math.floor(ms / secondMs) % 60, 2);
  return `${dateText(day)}T${hours}:${minutes}:${seconds}.${digits(ms % secondMs, 3)}Z`;
}

/** Days from 1 March of year 0 to 1970. Counting years from 1 March makes the leap day the last day of a year. */
const daysToMarchOfYear0 = 719_468;

/** The date of a day counted from 1970-01-01. Plain arithmetic, because every record and response needs it. */
function dateText(day: number): string {
  const days = day + daysToMarchOfYear0;
  const guess = Math.floor(days / 365.2425);
  const year = marchOf(guess) > days ? guess - 1 : marchOf(guess + 1) <= days ? guess + 1 : guess;
  const dayOfYear = days - marchOf(year);
  // From March on, every five months have 153 days.
  const month = Math.floor((5 * dayOfYear + 2) / 153);
  const dayOfMonth = dayOfYear - Math.floor((153 * month + 2) / 5) + 1;
  return month < 10
    ? `${yearText(year)}-${digits(month + 3, 2)}-${digits(dayOfMonth, 2)}`
    : `${yearText(year + 1)}-${digits(month - 9, 2)}-${digits(dayOfMonth, 2)}`;
}

/** The day on which 1 March of this year falls. */
function marchOf(year: number): number {
  return 365 * year + Math.floor(year / 4) - Math.floor(year / 100) + Math.floor(year / 400);
}

/** Years outside 0 to 9999 get a sign and six digits (ISO 8601). */
function yearText(year: number): string {
  if (year >= 0 && year <= 9_999) return digits(year, 4);
  return `${year < 0 ? "-" : "+"}${digits(Math.abs(year), 6)}`;
}

function digits(value: number, count: number): string {
  return String(value).padStart(count, "0");
}

/** Parses an RFC 3339 text with an offset; undefined for anything else. */
export function parseInstant(text: string): Instant | undefined {
  try {
    return instant(Temporal.Instant.from(text).epochMilliseconds);
  } catch {
    return undefined;
  }
}

export function plus(at: Instant, ms: number): Instant {
  return instant(at + ms);
}

export function earliest(...instants: readonly Instant[]): Instant {
  return instant(Math.min(...instants));
}
