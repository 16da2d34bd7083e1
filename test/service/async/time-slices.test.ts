import { expect, test } from "vitest";
import type { Work } from "../../../src/core/values/sliced-work.ts";
import { createSlices, sliceCostMax } from "../../../src/service/async/time-slices.ts";

/** A loop whose turns the test ends. */
function steppedLoop() {
  const waiting: (() => void)[] = [];
  const slices = createSlices(async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    waiting.push(resolve);
    return promise;
  });
  return {
    slices,
    /** Ends a turn; false when nobody waits for the end of one. */
    async turn(): Promise<boolean> {
      const ending = waiting.splice(0);
      for (const end of ending) end();
      for (let tick = 0; tick < 10; tick++) await Promise.resolve();
      return ending.length > 0;
    },
  };
}

function* work(name: string, parts: number, done: string[]): Work<string> {
  for (let part = 0; part < parts; part++) {
    done.push(name);
    yield sliceCostMax / 2;
  }
  return name;
}

test("long work pauses after each slice", async () => {
  const { slices, turn } = steppedLoop();
  const done: string[] = [];
  const running = slices.run(work("a", 6, done));
  const seen = [done.length];
  while (await turn()) seen.push(done.length);
  expect(seen.filter((count, index) => count !== seen[index - 1])).toEqual([2, 4, 6]);
  await expect(running).resolves.toBe("a");
});

test("concurrent work shares one slice per turn, in order of arrival", async () => {
  const { slices, turn } = steppedLoop();
  const done: string[] = [];
  const all = ["a", "b", "c"].map((name) => slices.run(work(name, 4, done)));
  let before = done.length;
  expect(before).toBe(2);
  while (await turn()) {
    // One slice of two parts, and at most one more of somebody who came while nothing was spent.
    expect(done.length - before).toBeLessThanOrEqual(4);
    before = done.length;
  }
  expect(done).toHaveLength(12);
  expect(done.slice(0, 2)).toEqual(["a", "a"]);
  await expect(Promise.all(all)).resolves.toEqual(["a", "b", "c"]);
});

test("short work does not wait, in any turn", async () => {
  const { slices, turn } = steppedLoop();
  function* short(): Work<number> {
    yield sliceCostMax / 4;
    return 1;
  }
  for (let count = 0; count < 20; count++) {
    await expect(slices.run(short())).resolves.toBe(1);
    await turn();
  }
});
