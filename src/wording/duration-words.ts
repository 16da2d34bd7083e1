import { dayMs, formatDuration, hourMs, minuteMs, parseDuration, secondMs } from "../core/values/time.ts";

const sizes = [
  ["day", dayMs],
  ["hour", hourMs],
  ["minute", minuteMs],
  ["second", secondMs],
] as const;

/** Formats `4h` or milliseconds in words: `4 hours`, `1 hour 30 minutes`. Other texts are returned unchanged. */
export function durationWords(duration: string | number): string {
  const ms = typeof duration === "number" ? duration : parseDuration(duration);
  if (ms === undefined) return String(duration);
  let remaining = Math.max(0, ms);
  const words: string[] = [];
  for (const [unit, size] of sizes) {
    const count = Math.floor(remaining / size);
    remaining -= count * size;
    if (count > 0) words.push(`${count} ${unit}${count === 1 ? "" : "s"}`);
  }
  return words.length === 0 ? "less than a second" : words.join(" ");
}

/** The remaining time, rounded: `42 minutes`, `2 hours 5 minutes`, `less than a minute`. */
export function timeLeftWords(ms: number): string {
  if (ms < minuteMs) return "less than a minute";
  const step = ms >= dayMs ? hourMs : minuteMs;
  return durationWords(Math.floor(ms / step) * step);
}

const unitPatterns = [
  [/^(?:d|days?)$/, dayMs],
  [/^(?:h|hrs?|hours?)$/, hourMs],
  [/^(?:m|mins?|minutes?)$/, minuteMs],
  [/^(?:s|secs?|seconds?)$/, secondMs],
] as const;
const numberAndUnit = /^(\d{1,7})([a-z]+)$/;

/**
 * Parses a duration as people write it: `2h`, `1h30m`, `PT4H`, `2 hours`, `90 min`, `1 hour 30 minutes`. Returns the
 * short form, or undefined. The service checks the range.
 */
export function readDuration(text: string): string | undefined {
  const compact = text.trim();
  const exact =
    parseDuration(compact) ?? parseDuration(compact.toLowerCase()) ?? parseDuration(compact.toUpperCase());
  if (exact !== undefined) return formatDuration(exact);
  const spaced = compact
    .toLowerCase()
    .replace(/^an?\s+/, "1")
    .replaceAll(/(\d)\s+(?=[a-z])/g, "$1");
  const pieces = spaced.split(/\s+(?:and\s+)?|(?<=[a-z])(?=\d)/);
  let ms = 0;
  let smallest = Infinity;
  for (const piece of pieces) {
    const [, count, unit = ""] = numberAndUnit.exec(piece) ?? [];
    const size = unitPatterns.find(([pattern]) => pattern.test(unit))?.[1];
    // Units must descend, each at most once: `30m 1h` may be a mistake for something else.
    if (count === undefined || size === undefined || size >= smallest) return undefined;
    smallest = size;
    ms += Number(count) * size;
  }
  return ms === 0 ? undefined : formatDuration(ms);
}
