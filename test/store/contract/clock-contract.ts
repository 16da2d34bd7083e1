import { expect, test } from "vitest";
import { instant } from "../../../src/core/values/ids.ts";
import { hourMs, plus } from "../../../src/core/values/time.ts";
import { ids, noon, noticeFixture, stepFixture } from "../../support/fixtures.ts";
import type { OpenEmptyStore } from "./store-contract.ts";
import { committed } from "../../support/committed.ts";

export function clockContract(open: OpenEmptyStore): void {
  test("the time of the last commit is unknown at first, and then only rises", async () => {
    const store = await open();
    expect(await store.clockMark()).toBeUndefined();
    for (const at of [noon, plus(noon, hourMs), noon]) {
      await committed(store, stepFixture({ writes: [{ kind: "clockMark", at }] }));
    }
    expect(await store.clockMark()).toBe(plus(noon, hourMs));
  });

  test("a step that is not written leaves the recorded time as it was", async () => {
    const store = await open();
    await committed(store, stepFixture({ writes: [{ kind: "clockMark", at: noon }] }));
    const late = stepFixture({
      expects: [{ kind: "request", id: "jit_none", version: 7 }],
      writes: [{ kind: "clockMark", at: plus(noon, hourMs) }],
    });
    expect(await store.commit(late)).toMatchObject({ conflict: "version" });
    expect(await store.clockMark()).toBe(noon);
  });

  test("after the recorded time was lowered, effects due by the wrong clock are due now, later ones stay planned", async () => {
    const store = await open();
    const wrong = plus(noon, 87_600 * hourMs);
    const dueAt = { a: plus(wrong, -hourMs), b: plus(wrong, hourMs), c: plus(noon, -hourMs) };
    await committed(
      store,
      stepFixture({
        writes: [{ kind: "clockMark", at: wrong }],
        effects: [
          noticeFixture("a", null, { dueAt: dueAt.a }),
          noticeFixture("b", null, { dueAt: dueAt.b }),
          noticeFixture("c", null, { dueAt: dueAt.c }),
        ],
      }),
      stepFixture({ writes: [{ kind: "clockLowered", from: wrong, at: noon }] }),
    );
    expect(await store.clockMark()).toBe(noon);
    const due = await store.dueEffects(noon, 10);
    expect(due.map(({ id, createdAt }) => [id, createdAt])).toEqual(
      expect.arrayContaining([
        [ids.effect("a"), noon],
        [ids.effect("c"), dueAt.c],
      ]),
    );
    expect(due).toHaveLength(2);
  });

  test("after the recorded time was lowered, a use by the wrong clock counts as a use now", async () => {
    const store = await open();
    const wrong = plus(noon, 87_600 * hourMs);
    const use = { key: "break-glass:id_dev", add: 1, max: 2, windowMs: hourMs };
    await committed(
      store,
      stepFixture({ writes: [{ kind: "clockMark", at: wrong }], counters: [{ ...use, at: wrong }] }),
      stepFixture({ writes: [{ kind: "clockLowered", from: wrong, at: noon }] }),
    );
    expect(await store.used(use.key, instant(noon + 1), hourMs)).toBe(1);
    expect(await store.used(use.key, plus(noon, hourMs + 1), hourMs)).toBe(0);
  });
}
