import { expect, test } from "vitest";
import { Bug } from "../../../src/core/values/assert.ts";
import { minuteMs } from "../../../src/core/values/time.ts";
import { at, stepFixture } from "../../support/fixtures.ts";
import type { OpenEmptyStore } from "./store-contract.ts";
import { committed } from "../../support/committed.ts";

const count = (
  add: number,
  more: { readonly max?: number; readonly windowMs?: number; readonly minute?: number } = {},
) => {
  const { minute = 0, ...limits } = more;
  return stepFixture({ counters: [{ key: "use:pol_a", add, at: at(minute), ...limits }] });
};
const take = (owner: string, name = "open:x") => stepFixture({ unique: [{ take: name, owner }] });
const release = (owner: string, name = "open:x") => stepFixture({ unique: [{ release: name, owner }] });

export function counterContract(open: OpenEmptyStore): void {
  test("a limit is exact under 50 concurrent uses", async () => {
    const store = await open();
    const results = await Promise.all(Array.from({ length: 50 }, () => store.commit(count(1, { max: 7 }))));
    expect(results.filter((result) => "ok" in result)).toHaveLength(7);
    expect(results.at(-1)).toEqual({ conflict: "counter", what: "use:pol_a" });
    expect(await store.used("use:pol_a", at(0))).toBe(7);
  });

  test("a limit of a window is exact under 50 concurrent uses", async () => {
    const store = await open();
    const step = count(1, { max: 7, windowMs: 10 * minuteMs });
    const results = await Promise.all(Array.from({ length: 50 }, () => store.commit(step)));
    expect(results.filter((result) => "ok" in result)).toHaveLength(7);
    expect(await store.used("use:pol_a", at(0), 10 * minuteMs)).toBe(7);
  });

  test("a use leaves its window exactly at the window's end, and the conflict names that time", async () => {
    const store = await open();
    const limits = { max: 2, windowMs: 10 * minuteMs };
    await committed(store, count(1, { ...limits, minute: 0 }), count(1, { ...limits, minute: 4 }));
    expect(await store.commit(count(1, { ...limits, minute: 9 }))).toEqual({
      conflict: "counter",
      what: "use:pol_a",
      retryAt: at(10),
    });
    expect(await store.used("use:pol_a", at(9), limits.windowMs)).toBe(2);
    expect(await store.used("use:pol_a", at(10), limits.windowMs)).toBe(1);
    await committed(store, count(1, { ...limits, minute: 10 }));
  });

  test("after a limit was lowered, the conflict names when enough uses have left, and no time for a limit of 0", async () => {
    const store = await open();
    const windowMs = 10 * minuteMs;
    for (const minute of [0, 1, 2]) await committed(store, count(1, { windowMs, minute }));
    expect(await store.commit(count(1, { windowMs, max: 1, minute: 3 }))).toMatchObject({ retryAt: at(12) });
    expect(await store.commit(count(1, { windowMs, max: 0, minute: 3 }))).toEqual({
      conflict: "counter",
      what: "use:pol_a",
    });
  });

  test("a gauge goes up and down but never below zero", async () => {
    const store = await open();
    await committed(store, count(1, { max: 1 }));
    expect(await store.commit(count(1, { max: 1 }))).toMatchObject({ conflict: "counter" });
    await committed(store, count(-1), count(1, { max: 1 }), count(-1));
    await expect(store.commit(count(-1))).rejects.toBeInstanceOf(Bug);
    expect(await store.used("use:pol_a", at(0))).toBe(0);
  });

  test("a limit can be checked without using it", async () => {
    const store = await open();
    await committed(store, count(2), count(0, { max: 2 }));
    expect(await store.commit(count(0, { max: 1 }))).toMatchObject({ conflict: "counter" });
    expect(await store.used("use:pol_a", at(0))).toBe(2);
  });

  test("two changes of one counter in the same step count together", async () => {
    const store = await open();
    const both = stepFixture({
      counters: [1, 1].map((add) => ({ key: "use:pol_a", add, max: 1, at: at(0) })),
    });
    expect(await store.commit(both)).toMatchObject({ conflict: "counter" });
    expect(await store.used("use:pol_a", at(0))).toBe(0);
  });

  test("of 50 steps that take the same name one gets it, and the others learn its owner", async () => {
    const store = await open();
    const results = await Promise.all(
      Array.from({ length: 50 }, (_, index) => store.commit(take(`jit_${index}`))),
    );
    expect(results.filter((result) => "ok" in result)).toHaveLength(1);
    expect(results.at(-1)).toEqual({ conflict: "unique", what: "open:x", owner: "jit_0" });
  });

  test("a name may be taken again by its owner, and by others only after its release", async () => {
    const store = await open();
    await committed(store, take("jit_a"), take("jit_a"), release("jit_b"));
    expect(await store.commit(take("jit_b"))).toMatchObject({ conflict: "unique", owner: "jit_a" });
    expect([await store.ownerOf("open:x"), await store.ownerOf("open:y")]).toEqual(["jit_a", undefined]);
    await committed(store, release("jit_a"));
    expect(await store.ownerOf("open:x")).toBeUndefined();
    await committed(store, take("jit_b"));
    expect(await store.ownerOf("open:x")).toBe("jit_b");
  });

  test("a name taken by a step that fails stays free", async () => {
    const store = await open();
    const failing = { ...take("jit_a"), counters: count(1, { max: 0 }).counters };
    expect(await store.commit(failing)).toMatchObject({ conflict: "counter" });
    await committed(store, take("jit_b"));
  });
}
