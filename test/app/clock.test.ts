import { expect, test } from "vitest";
import { instant } from "../../src/core/values/ids.ts";
import { createClock, type ClockOptions } from "../../src/app/process/clock.ts";

function machine(options: ClockOptions = {}) {
  const at = { system: 1_000_000, monotonic: 5 };
  const clock = createClock({ system: () => at.system, monotonic: () => at.monotonic }, options);
  const pass = (ms: number, systemMs = ms): void => {
    at.system += systemMs;
    at.monotonic += ms;
  };
  return { ...clock, pass };
}

test("it follows the system clock", () => {
  const { now, pass } = machine();
  pass(1_500);
  expect(now()).toBe(1_001_500);
});

test("set back while running, time continues from where it was, so that no access lasts longer", () => {
  const { now, pass } = machine();
  pass(10_000);
  const before = now();
  pass(2_000, -3_600_000);
  expect(now()).toBe(before + 2_000);
  pass(1_000);
  expect(now()).toBe(before + 3_000);
});

test("after the system clock has caught up, it is followed again", () => {
  const { now, pass } = machine();
  pass(1_000, -60_000);
  now();
  pass(1_000, 120_000);
  expect(now()).toBe(1_060_000);
});

test("set forward, it is followed", () => {
  const { now, pass } = machine();
  pass(1_000, 3_600_000);
  expect(now()).toBe(4_600_000);
});

test("a small correction backwards neither goes back nor counts as set back", () => {
  const { now, pass } = machine();
  pass(1_000);
  const before = now();
  pass(100, -100);
  expect(now()).toBe(before);
  pass(1_000, 1_000);
  expect(now()).toBe(before + 900);
});

test("started before the last commit, time continues from that commit", () => {
  const { now, pass, behindMs, isBehindSinceStart } = machine({ lastCommitAt: instant(87_400_000) });
  expect([now(), behindMs(), isBehindSinceStart()]).toEqual([87_400_000, 86_400_000, true]);
  pass(60_000);
  expect([now(), behindMs(), isBehindSinceStart()]).toEqual([87_460_000, 86_400_000, true]);
});

test("once the system clock has caught up after a late start, it is followed and access is granted", () => {
  const { now, pass, behindMs, isBehindSinceStart } = machine({ lastCommitAt: instant(87_400_000) });
  pass(1_000, 86_401_000);
  expect([now(), behindMs(), isBehindSinceStart()]).toEqual([87_401_000, 0, false]);
  pass(1_000, -3_600_000);
  expect([now(), isBehindSinceStart()]).toEqual([87_402_000, false]);
});

test.each([
  [2_000, false],
  [2_001, true],
])("a start %i ms before the last commit is behind: %s", (ms, isBehind) => {
  const { now, isBehindSinceStart } = machine({ lastCommitAt: instant(1_000_000 + ms) });
  expect([now(), isBehindSinceStart()]).toEqual([1_000_000 + ms, isBehind]);
});

test("set back while running, access is still granted", () => {
  const { now, pass, isBehindSinceStart, behindMs } = machine({ lastCommitAt: instant(1_000_000) });
  pass(1_000, -3_600_000);
  now();
  expect([isBehindSinceStart(), behindMs()]).toEqual([false, 3_601_000]);
});

test("each jump of the system clock is reported once, and passing time is no jump", () => {
  const jumps: unknown[] = [];
  const { now, pass } = machine({ onJump: (...jump) => jumps.push(jump) });
  const passes: [number, number?][] = [
    [3_600_000],
    [1_000, -60_000],
    [1_000],
    [1_000, 63_000],
    [400, 0],
    [0, 1_900],
  ];
  for (const one of passes) {
    pass(...one);
    now();
  }
  expect(jumps).toEqual([
    ["back", 61_000],
    ["forward", 62_000],
  ]);
});
