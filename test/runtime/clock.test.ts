import { expect, test } from "vitest";
import { createClock } from "../../src/runtime/clock.ts";

function machine() {
  const at = { system: 1_000_000, monotonic: 5 };
  const now = createClock({ system: () => at.system, monotonic: () => at.monotonic });
  const pass = (ms: number, systemMs = ms): void => {
    at.system += systemMs;
    at.monotonic += ms;
  };
  return { now, pass };
}

test("it follows the system clock", () => {
  const { now, pass } = machine();
  pass(1_500);
  expect(now()).toBe(1_001_500);
});

test("set back while running, it goes on from where it was, so that no access lasts longer", () => {
  const { now, pass } = machine();
  pass(10_000);
  const before = now();
  pass(2_000, -3_600_000);
  expect(now()).toBe(before + 2_000);
  pass(1_000);
  expect(now()).toBe(before + 3_000);
});

test("after the system clock has caught up it is followed again", () => {
  const { now, pass } = machine();
  pass(1_000, -60_000);
  now();
  pass(1_000, 120_000);
  expect(now()).toBe(1_060_000);
});

test("set forward, it is believed", () => {
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
