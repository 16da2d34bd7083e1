import { Temporal } from "temporal-polyfill";
import { weekdays, type TimeWindow, type Weekday } from "./conditions.ts";
import type { Instant } from "../values/ids.ts";

/**
 * Whether the window is open at `at`, in the local time of its zone. `from` is inclusive, `to` exclusive, and `days`
 * names the days on which it opens. `to` before `from` runs past midnight; equal times never open. When clocks go
 * forward, the skipped time never occurs; when they go back, the repeated hour counts twice. Undefined when the zone
 * or a time is invalid, which parsing already refuses.
 */
export function isWithin(window: TimeWindow, at: Instant): boolean | undefined {
  const local = wallClockAt(window.timezone, at);
  const from = minuteOf(window.from);
  const to = minuteOf(window.to);
  if (local === undefined || from === undefined || to === undefined) return undefined;
  const opensToday = window.days.includes(local.day);
  if (from <= to) return opensToday && local.minute >= from && local.minute < to;
  const openedYesterday = window.days.includes(dayBefore(local.day));
  return (opensToday && local.minute >= from) || (openedYesterday && local.minute < to);
}

/** Local day and time in a zone. */
export interface WallClock {
  readonly day: Weekday;
  /** Minutes since midnight, local time: 0 to 1,439. */
  readonly minute: number;
}

/** Local day and time in a zone; undefined when the zone is unknown. */
export function wallClockAt(timezone: string, at: Instant): WallClock | undefined {
  const last = lastReading.get(timezone);
  if (last?.at === at) return last.local;
  const local = readWallClock(timezone, at);
  if (local === undefined) return undefined;
  if (lastReading.size >= zonesKeptMax) lastReading.clear();
  lastReading.set(timezone, { at, local });
  return local;
}

/** `MON 09:05`. */
export function formatWallClock({ day, minute }: WallClock): string {
  return `${day} ${twoDigits(Math.floor(minute / 60))}:${twoDigits(minute % 60)}`;
}

/** Whether the name is an IANA time zone. Offsets such as `+02:00` are not: they have no daylight saving time. */
export function isTimeZone(name: string): boolean {
  return zoneNamePattern.test(name) && readZoned(name, 0) !== undefined;
}

type WindowEdge = Exclude<keyof TimeWindow, "days" | "timezone">;

/** Whether the text is `HH:MM`, up to `23:59`, or `24:00` at the end of a window (`to`). */
export function isWallClock(text: string, edge: WindowEdge = "to"): boolean {
  const minute = minuteOf(text);
  return minute !== undefined && (edge === "to" || minute < minutesPerDay);
}

const minutesPerDay = 24 * 60;
const wallClockPattern = /^([01]\d|2[0-3]):([0-5]\d)$/;
const zoneNamePattern = /^[A-Za-z][A-Za-z0-9_+-]{0,31}(?:\/[A-Za-z0-9_+-]{1,32}){0,2}$/;

/** The last result per zone: a submission evaluates every window at the same instant, at 4 µs each. */
const lastReading = new Map<string, { readonly at: Instant; readonly local: WallClock }>();
const zonesKeptMax = 1_000;

function twoDigits(count: number): string {
  return String(count).padStart(2, "0");
}

function minuteOf(text: string): number | undefined {
  if (text === "24:00") return minutesPerDay;
  const parts = wallClockPattern.exec(text);
  return parts === null ? undefined : Number(parts[1]) * 60 + Number(parts[2]);
}

function dayBefore(day: Weekday): Weekday {
  return weekdays.at(weekdays.indexOf(day) - 1) ?? day;
}

function readWallClock(timezone: string, at: Instant): WallClock | undefined {
  const zoned = readZoned(timezone, at);
  const day = zoned === undefined ? undefined : weekdays[zoned.dayOfWeek - 1];
  return zoned === undefined || day === undefined
    ? undefined
    : { day, minute: zoned.hour * 60 + zoned.minute };
}

function readZoned(timezone: string, atMs: number): Temporal.ZonedDateTime | undefined {
  try {
    return Temporal.Instant.fromEpochMilliseconds(atMs).toZonedDateTimeISO(timezone);
  } catch {
    return undefined;
  }
}
