import { describe, expect, test } from "vitest";
import { assertPresent } from "../../src/core/values/assert.ts";
import { weekdays, type TimeWindow } from "../../src/core/policy/conditions.ts";
import type { Instant } from "../../src/core/values/ids.ts";
import { parseInstant } from "../../src/core/values/time.ts";
import { isTimeZone, isWallClock, isWithin, wallClockAt } from "../../src/core/policy/time-window.ts";

const at = (text: string): Instant => assertPresent(parseInstant(text), text);

const officeHours: TimeWindow = {
  days: ["MON", "TUE", "WED", "THU", "FRI"],
  from: "09:00",
  to: "18:00",
  timezone: "Europe/Berlin",
};
const window = (more: Partial<TimeWindow>): TimeWindow => ({ ...officeHours, ...more });

describe("a window is open from its first minute until just before its end, in local time:", () => {
  test.each([
    ["Monday 08:59:59.999", "2024-01-15T07:59:59.999Z", false],
    ["Monday 09:00", "2024-01-15T08:00:00Z", true],
    ["Monday 17:59:59.999", "2024-01-15T16:59:59.999Z", true],
    ["Monday 18:00", "2024-01-15T17:00:00Z", false],
    ["Saturday noon", "2024-01-20T11:00:00Z", false],
    ["a summer Monday 09:00, which is an hour earlier in UTC", "2024-07-15T07:00:00Z", true],
    ["the minute before it", "2024-07-15T06:59:00Z", false],
  ])("%s", (_, instant, expected) => {
    expect(isWithin(officeHours, at(instant))).toBe(expected);
  });
});

describe("a window past midnight belongs to the day on which it opens:", () => {
  const night = window({ days: ["FRI"], from: "22:00", to: "06:00", timezone: "UTC" });
  test.each([
    ["Friday before it opens", "2024-01-19T21:59:00Z", false],
    ["Friday night", "2024-01-19T22:00:00Z", true],
    ["midnight", "2024-01-20T00:00:00Z", true],
    ["Saturday morning, still Friday's", "2024-01-20T05:59:00Z", true],
    ["Saturday 06:00", "2024-01-20T06:00:00Z", false],
    ["Saturday night", "2024-01-20T23:00:00Z", false],
    ["Friday morning, which would be Thursday's", "2024-01-19T03:00:00Z", false],
  ])("%s", (_, instant, expected) => {
    expect(isWithin(night, at(instant))).toBe(expected);
  });

  test("Sunday's window runs into Monday", () => {
    const sunday = window({ days: ["SUN"], from: "22:00", to: "06:00", timezone: "UTC" });
    expect(isWithin(sunday, at("2024-01-15T05:00:00Z"))).toBe(true);
    expect(isWithin(sunday, at("2024-01-16T05:00:00Z"))).toBe(false);
  });
});

const utc = (from: string, to: string): TimeWindow => window({ days: ["MON"], from, to, timezone: "UTC" });

describe("midnight", () => {
  test.each([
    ["00:00 to 24:00 opens with the day", utc("00:00", "24:00"), "2024-01-15T00:00:00Z", true],
    ["00:00 to 24:00 lasts the day", utc("00:00", "24:00"), "2024-01-15T23:59:59.999Z", true],
    ["00:00 to 24:00 ends with the day", utc("00:00", "24:00"), "2024-01-16T00:00:00Z", false],
    ["until 00:00 is until midnight", utc("22:00", "00:00"), "2024-01-15T23:59:00Z", true],
    ["until 00:00 ends there", utc("22:00", "00:00"), "2024-01-16T00:00:00Z", false],
    ["a window that ends when it begins never opens", utc("09:00", "09:00"), "2024-01-15T09:00:00Z", false],
  ])("%s", (_, timeWindow, instant, expected) => {
    expect(isWithin(timeWindow, at(instant))).toBe(expected);
  });
});

const sunday = (from: string, to: string): TimeWindow => window({ days: ["SUN"], from, to });

describe("daylight saving time:", () => {
  test("a window in the skipped hour never opens: 01:59 is followed by 03:00", () => {
    const gap = sunday("02:00", "03:00");
    expect(isWithin(gap, at("2024-03-31T00:59:59Z"))).toBe(false);
    expect(isWithin(gap, at("2024-03-31T01:00:00Z"))).toBe(false);
  });

  test("a window that starts in the skipped hour opens at its end", () => {
    const across = sunday("02:30", "04:00");
    expect(isWithin(across, at("2024-03-31T00:59:59Z"))).toBe(false);
    expect(isWithin(across, at("2024-03-31T01:00:00Z"))).toBe(true);
    expect(isWithin(across, at("2024-03-31T02:00:00Z"))).toBe(false);
  });

  test("the repeated hour counts both times", () => {
    const twice = sunday("02:00", "03:00");
    const inside = [
      "2024-10-27T00:00:00Z",
      "2024-10-27T00:59:00Z",
      "2024-10-27T01:00:00Z",
      "2024-10-27T01:59:00Z",
    ];
    expect(inside.map((text) => isWithin(twice, at(text)))).toEqual([true, true, true, true]);
    expect(isWithin(twice, at("2024-10-26T23:59:00Z"))).toBe(false);
    expect(isWithin(twice, at("2024-10-27T02:00:00Z"))).toBe(false);
  });

  test("a night window keeps its local hours through the change", () => {
    const night = window({ days: ["SAT"], from: "22:00", to: "06:00" });
    expect(isWithin(night, at("2024-03-31T03:59:00Z"))).toBe(true);
    expect(isWithin(night, at("2024-03-31T04:00:00Z"))).toBe(false);
    expect(isWithin(night, at("2024-10-27T04:59:00Z"))).toBe(true);
    expect(isWithin(night, at("2024-10-27T05:00:00Z"))).toBe(false);
  });
});

test("the wall clock follows the instant, also when a zone is read twice", () => {
  const first = at("2024-01-15T11:30:00Z");
  expect(wallClockAt("Asia/Kathmandu", first)).toEqual({ day: "MON", minute: 17 * 60 + 15 });
  expect(wallClockAt("Asia/Kathmandu", at("2024-01-15T18:14:59Z"))).toEqual({ day: "MON", minute: 1439 });
  expect(wallClockAt("Asia/Kathmandu", at("2024-01-15T18:15:00Z"))).toEqual({ day: "TUE", minute: 0 });
  expect(wallClockAt("Asia/Kathmandu", first)).toEqual({ day: "MON", minute: 17 * 60 + 15 });
});

test("each weekday has its name", () => {
  const names = weekdays.map((_, day) => wallClockAt("UTC", at(`2024-01-${15 + day}T12:00:00Z`))?.day);
  expect(names).toEqual(["MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN"]);
});

test("an invalid zone or time is unknown, and never throws", () => {
  expect(isWithin(window({ timezone: "Mars/Olympus" }), at("2024-01-15T11:30:00Z"))).toBeUndefined();
  expect(isWithin(window({ from: "9:00" }), at("2024-01-15T11:30:00Z"))).toBeUndefined();
  expect(isWithin(window({ to: "25:00" }), at("2024-01-15T11:30:00Z"))).toBeUndefined();
});

test.each(["Europe/Berlin", "UTC", "Etc/GMT+5", "America/Argentina/Buenos_Aires", "US/Pacific"])(
  "%s is a time zone",
  (name) => {
    expect(isTimeZone(name)).toBe(true);
  },
);

test.each([
  "",
  "Z",
  "+02:00",
  "Mars/Olympus",
  "2024-01-01T00:00Z",
  "2024-01-01T00:00[Europe/Berlin]",
  "Europe/Berlin ",
])("%j is no time zone", (name) => {
  expect(isTimeZone(name)).toBe(false);
});

test("a wall clock has the form HH:MM; only the end of a window may be 24:00", () => {
  expect(["00:00", "09:05", "23:59"].every((text) => isWallClock(text, "from"))).toBe(true);
  expect(["9:00", "09:60", "24:01", "25:00", "09:00:00", "", "0900"].some((text) => isWallClock(text))).toBe(
    false,
  );
  expect(isWallClock("24:00", "to")).toBe(true);
  expect(isWallClock("24:00", "from")).toBe(false);
});
