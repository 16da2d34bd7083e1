import { setTimeout as wait } from "node:timers/promises";
import { afterEach, expect, test } from "vitest";
import {
  isCronExpression,
  createSweepScheduler,
  type SweepScheduler,
} from "../../../src/background/sweeps/scheduler.ts";
import { hourMs, minuteMs } from "../../../src/core/values/time.ts";
import { settableClock } from "../../support/settable-clock.ts";

const started: SweepScheduler[] = [];
afterEach(async () => {
  for (const scheduler of started.splice(0)) await scheduler.stop();
});
const never = "0 0 1 1 *";
const create = (...args: Parameters<typeof createSweepScheduler>): SweepScheduler => {
  const scheduler = createSweepScheduler(...args);
  started.push(scheduler);
  return scheduler;
};

test("ticks by itself", async () => {
  let ticks = 0;
  const sweeps = [{ name: "count", run: async () => void ticks++ }];
  create("* * * * * *", sweeps, settableClock(), () => {}).begin();
  await expect.poll(() => ticks, { timeout: 3_000 }).toBeGreaterThan(0);
});

test("a failed sweep is reported, the others run, and the tick does not count as a success", async () => {
  const clock = settableClock();
  const faults: string[] = [];
  let isBroken = true;
  let others = 0;
  const sweeps = [
    { name: "broken", run: async () => (isBroken ? Promise.reject(new Error("no")) : undefined) },
    { name: "other", run: async () => void others++ },
  ];
  const scheduler = create(never, sweeps, clock, (_, sweep) => faults.push(sweep));
  await scheduler.tick();
  expect([faults, others, scheduler.lastSuccessAt()]).toEqual([["broken"], 1, null]);
  isBroken = false;
  await scheduler.tick();
  expect(scheduler.lastSuccessAt()).toBe(clock.now());
});

test("a scheduler stopped before it began never ticks", async () => {
  let ticks = 0;
  const sweeps = [{ name: "count", run: async () => void ticks++ }];
  const scheduler = create("* * * * * *", sweeps, settableClock(), () => {});
  await scheduler.stop();
  scheduler.begin();
  await wait(1_200);
  expect(ticks).toBe(0);
});

test("overlapping ticks are one", async () => {
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
  const scheduler = create(never, [slow], settableClock(), () => {});
  await Promise.all([scheduler.tick(), scheduler.tick(), scheduler.tick()]);
  expect(most).toBe(1);
});

test("an invalid expression is rejected", () => {
  expect([
    isCronExpression("*/5 * * * * *"),
    isCronExpression("every day"),
    isCronExpression("99 * * * *"),
  ]).toEqual([true, false, false]);
});

test("is on time until a due tick has not succeeded for a minute", async () => {
  const clock = settableClock(Date.now());
  let isBroken = false;
  const sweep = {
    name: "sometimes",
    run: async () => (isBroken ? Promise.reject(new Error("no")) : undefined),
  };
  const scheduler = create("*/5 * * * *", [sweep], clock, () => {});
  scheduler.begin();
  expect(scheduler.isOnTime()).toBe(false);
  await scheduler.tick();
  expect(scheduler.isOnTime()).toBe(true);
  isBroken = true;
  clock.pass(7 * minuteMs);
  await scheduler.tick();
  expect(scheduler.isOnTime()).toBe(false);
});

test("is on time from the start until the first scheduled tick, however far away", async () => {
  const clock = settableClock(Date.UTC(new Date().getUTCFullYear(), 6, 1));
  const scheduler = create(never, [{ name: "working", run: async () => {} }], clock, () => {});
  await scheduler.tick();
  scheduler.begin();
  clock.pass(2 * hourMs);
  expect(scheduler.isOnTime()).toBe(true);
});

test("is on time even if the system clock is a day behind or ahead of ours", async () => {
  for (const offMs of [24 * hourMs, -24 * hourMs]) {
    const clock = settableClock(Date.now() + offMs);
    const scheduler = create("*/5 * * * *", [{ name: "working", run: async () => {} }], clock, () => {});
    await scheduler.tick();
    scheduler.begin();
    expect(scheduler.isOnTime()).toBe(true);
    clock.pass(7 * minuteMs);
    expect(scheduler.isOnTime()).toBe(false);
  }
});
