import { expect, test } from "vitest";
import { instant } from "../../src/core/values/ids.ts";
import { createRuntime } from "../../src/app/process/runtime.ts";

const noon = Date.UTC(2026, 10, 25, 12);

test("later ids sort after earlier ones, so that indexes grow at their end", () => {
  let now = noon;
  const { idSuffix } = createRuntime(() => instant(now));
  const tails = [1, 1_000, 60_000, 86_400_000, 400 * 86_400_000].map((ms) => {
    now = noon + ms;
    return idSuffix();
  });
  expect(tails).toEqual(tails.toSorted());
});

test("ids of one moment differ, have one length, and consist of letters and digits", () => {
  const { idSuffix } = createRuntime(() => instant(noon));
  const tails = Array.from({ length: 20_000 }, idSuffix);
  expect(new Set(tails).size).toBe(tails.length);
  expect(tails.every((tail) => /^[0-9a-z]{18}$/.test(tail))).toBe(true);
});
