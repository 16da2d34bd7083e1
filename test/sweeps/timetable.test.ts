import { setTimeout as wait } from "node:timers/promises";
import { afterEach, expect, test } from "vitest";
import { isCronExpression, startTimetable, type Timetable } from "../../src/sweeps/timetable.ts";
import { minuteMs } from "../../src/core/time.ts";
import { settableClock } from "../support/settable-clock.ts";

const started: Timetable[] = [];
afterEach(async () => {
  for (const one of started.splice(0)) await one.stop();
});
const never = "0 0 1 1 *";
const start = (...args: Parameters<typeof startTimetable>): Timetable => {
  const timetable = startTimetable(...args);
  started.push(timetable);
  return timetable;
};

test("it ticks by itself beside everything else", async () => {
  let ticks = 0;
  start("* * * * * *", [{ name: "count", run: async () => void ticks++ }], settableClock(), () => {});
  await expect.poll(() => ticks, { timeout: 3_000 }).toBeGreaterThan(0);
});

test("a sweep that fails is reported, the others run, and the tick does not count as good", async () => {
  const clock = settableClock();
  const faults: string[] = [];
  let isBroken = true;
  let others = 0;
  const sweeps = [
    { name: "broken", run: async () => (isBroken ? Promise.reject(new Error("no")) : undefined) },
    { name: "other", run: async () => void others++ },
  ];
  const timetable = start(never, sweeps, clock, (_, sweep) => faults.push(sweep));
  await timetable.tick();
  expect([faults, others, timetable.lastGoodAt()]).toEqual([["broken"], 1, null]);
  isBroken = false;
  await timetable.tick();
  expect(timetable.lastGoodAt()).toBe(clock.now());
});

test("ticks that overlap are one", async () => {
  let running = 0;
  let most = 0;
  const slow = {
    name: "slow",
    run: async () => {
      most = Math.max(most, ++running);
      await wait(20);
      running--;
    },
  };
  const timetable = start(never, [slow], settableClock(), () => {});
  await Promise.all([timetable.tick(), timetable.tick(), timetable.tick()]);
  expect(most).toBe(1);
});

test("nonsense is no schedule", () => {
  expect([
    isCronExpression("*/5 * * * * *"),
    isCronExpression("every day"),
    isCronExpression("99 * * * *"),
  ]).toEqual([true, false, false]);
});

test("is on time until a tick that was due has not gone through for a minute", async () => {
  const clock = settableClock(Date.now());
  let isBroken = false;
  const sweep = {
    name: "sometimes",
    run: async () => (isBroken ? Promise.reject(new Error("no")) : undefined),
  };
  const timetable = start("*/5 * * * *", [sweep], clock, () => {});
  expect(timetable.isOnTime()).toBe(false);
  await timetable.tick();
  expect(timetable.isOnTime()).toBe(true);
  isBroken = true;
  clock.pass(7 * minuteMs);
  await timetable.tick();
  expect(timetable.isOnTime()).toBe(false);
});
