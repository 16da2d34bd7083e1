import { Temporal } from "temporal-polyfill";
import { weekdays, type TimeWindow, type Weekday } from "./conditions.ts";
import type { Instant } from "../values/ids.ts";

/**
 * Whether the window is open at `at`, by the wall clock of its zone: from included, to excluded, `days` naming the days
 * on which it opens. `to` before `from` runs past midnight into the next day; `to` equal to `from` never opens. A clock
 * put forward skips what lies in the gap; one put back passes the same hour twice, and both count. Undefined when this
 * machine does not know the zone or the times are no wall clock, which parsing has refused long before.
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

/** What a clock on the wall there shows. */
export interface WallClock {
  readonly day: Weekday;
  /** Since midnight by that clock: 0 to 1,439. */
  readonly minute: number;
}

/** The wall clock of a time zone; undefined when the zone is not known. */
export function wallClockAt(timezone: string, at: Instant): WallClock | undefined {
  const last = lastRead.get(timezone);
  if (last?.at === at) return last.local;
  const local = readWallClock(timezone, at);
  if (local === undefined) return undefined;
  if (lastRead.size >= zonesKeptMax) lastRead.clear();
  lastRead.set(timezone, { at, local });
  return local;
}

/** `MON 09:05`. */
export function formatWallClock({ day, minute }: WallClock): string {
  return `${day} ${twoDigits(Math.floor(minute / 60))}:${twoDigits(minute % 60)}`;
}

/** Whether it is the name of a time zone (IANA). Offsets such as `+02:00` are not: they know no summer time. */
export function isTimeZone(name: string): boolean {
  return zoneNamePattern.test(name) && readZoned(name, 0) !== undefined;
}

type WindowEdge = Exclude<keyof TimeWindow, "days" | "timezone">;

/** Whether it is `HH:MM`, `00:00` to `23:59`, or, where a window ends (`to`), `24:00`. */
export function isWallClock(text: string, edge: WindowEdge = "to"): boolean {
  const minute = minuteOf(text);
  return minute !== undefined && (edge === "to" || minute < minutesPerDay);
}

const minutesPerDay = 24 * 60;
const wallClockPattern = /^([01]\d|2[0-3]):([0-5]\d)$/;
const zoneNamePattern = /^[A-Za-z][A-Za-z0-9_+-]{0,31}(?:\/[A-Za-z0-9_+-]{1,32}){0,2}$/;

/** The last reading of each zone: one submission asks every policy's window at the same instant (4 µs each). */
const lastRead = new Map<string, { readonly at: Instant; readonly local: WallClock }>();
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
