import { expect, test } from "vitest";
import type { DueEffect, Store, Write } from "../../../src/service/ports/store.ts";
import { at, ids, noticeFixture, stepFixture } from "../../support/fixtures.ts";
import type { OpenEmptyStore } from "./store-contract.ts";
import { everyEffect } from "../../support/every-effect.ts";
import { committed } from "../../support/committed.ts";

const a = ids.request("a");
const sending = (...effects: readonly ReturnType<typeof noticeFixture>[]) => stepFixture({ effects });
const change = (write: Write) => stepFixture({ writes: [write] });
const leased = (tail: string, lease: number, minute: number) =>
  change({ kind: "effectLeased", id: ids.effect(tail), lease, until: at(minute) });
const settled = (tail: string, lease: number) =>
  change({ kind: "effectSettled", id: ids.effect(tail), lease });
const released = (tail: string, lease: number, minute: number) =>
  change({ kind: "effectReleased", id: ids.effect(tail), lease, dueAt: at(minute), error: "no answer" });

async function due(store: Store, minute: number, limit = 10): Promise<readonly string[]> {
  return (await store.dueEffects(at(minute), limit)).map((one: DueEffect) => one.id.slice("evt_".length));
}

export function outboxContract(open: OpenEmptyStore): void {
  test("an effect is due from its time on, the longest due first, at most as many as wanted", async () => {
    const store = await open();
    const early = noticeFixture("early", null, { dueAt: at(1) });
    await committed(store, sending(noticeFixture("late", null, { dueAt: at(2) }), early));
    expect(await due(store, 0)).toEqual([]);
    expect(await store.dueEffects(at(1), 10)).toEqual([
      { id: early.id, effect: early.effect, attempts: 0, lease: 0, createdAt: at(1) },
    ]);
    expect(await due(store, 2)).toEqual(["early", "late"]);
    expect(await due(store, 2, 1)).toEqual(["early"]);
  });

  test("an effect of every kind is read back as it was written", async () => {
    const store = await open();
    const effects = Object.values(everyEffect).map((effect) =>
      noticeFixture(effect.kind.replaceAll("_", "-"), null, { effect }),
    );
    for (const one of effects) {
      await committed(store, sending(one));
      const [found] = await store.dueEffects(at(0), 1);
      expect(found).toMatchObject({ id: one.id, effect: one.effect });
      await committed(
        store,
        change({ kind: "effectLeased", id: one.id, lease: 0, until: at(5) }),
        change({ kind: "effectSettled", id: one.id, lease: 1 }),
      );
    }
  });

  test("a leased effect belongs to one relay until the lease is over", async () => {
    const store = await open();
    await committed(store, sending(noticeFixture("x", null)));
    const both = await Promise.all([store.commit(leased("x", 0, 5)), store.commit(leased("x", 0, 5))]);
    expect(both).toEqual([{ ok: true }, { conflict: "version", what: "effect:evt_x" }]);
    expect(await due(store, 4)).toEqual([]);
    expect(await store.dueEffects(at(5), 10)).toMatchObject([{ lease: 1, attempts: 0 }]);
  });

  test("only the last lease may settle or release an effect, and a settled effect is gone", async () => {
    const store = await open();
    await committed(store, sending(noticeFixture("x", null)), leased("x", 0, 1), leased("x", 1, 2));
    expect(await store.commit(settled("x", 1))).toMatchObject({ conflict: "version" });
    expect(await store.commit(released("x", 1, 9))).toMatchObject({ conflict: "version" });
    await committed(store, settled("x", 2));
    expect(await store.commit(settled("x", 2))).toMatchObject({ conflict: "version" });
    expect(await due(store, 999)).toEqual([]);
  });

  test("ending all leases makes leased effects due, but neither planned nor released ones", async () => {
    const store = await open();
    const later = noticeFixture("later", null, { dueAt: at(9) });
    await committed(store, sending(noticeFixture("x", null), noticeFixture("back", null), later));
    await committed(store, leased("x", 0, 5), leased("back", 0, 5), released("back", 1, 6));
    await committed(store, change({ kind: "leasesEnded", at: at(1) }));
    expect(await due(store, 0)).toEqual([]);
    expect(await due(store, 1)).toEqual(["x"]);
    expect(await due(store, 9)).toEqual(["x", "back", "later"]);
    await committed(store, leased("x", 1, 7), settled("x", 2));
  });

  test("a released effect is due again later and counts its attempts", async () => {
    const store = await open();
    await committed(store, sending(noticeFixture("x", null)), leased("x", 0, 1), released("x", 1, 3));
    expect(await due(store, 2)).toEqual([]);
    expect(await store.dueEffects(at(3), 10)).toMatchObject([{ lease: 1, attempts: 1, createdAt: at(0) }]);
  });

  test("effects with the same ordering key run in order: a later one waits for the earlier", async () => {
    const store = await open();
    const other = noticeFixture("other", ids.request("b"));
    await committed(
      store,
      sending(noticeFixture("1", a), noticeFixture("2", a), other, noticeFixture("free", null)),
    );
    expect(await due(store, 0)).toEqual(["1", "other", "free"]);
    await committed(store, leased("1", 0, 5));
    expect(await due(store, 0)).toEqual(["other", "free"]);
    await committed(store, released("1", 1, 30));
    expect(await due(store, 29)).toEqual(["other", "free"]);
    await committed(store, leased("1", 1, 40), settled("1", 2));
    expect(await due(store, 0)).toEqual(["2", "other", "free"]);
  });

  test("the outbox reports how many effects are due and since when; planned effects do not count", async () => {
    const store = await open();
    expect(await store.outbox(at(9))).toEqual({ waiting: 0, oldestDueAt: null });
    const later = noticeFixture("later", null, { dueAt: at(5) });
    await committed(store, sending(noticeFixture("x", null, { dueAt: at(1) }), later));
    expect(await store.outbox(at(0))).toEqual({ waiting: 0, oldestDueAt: null });
    await committed(store, leased("x", 0, 2), released("x", 1, 60));
    expect(await store.outbox(at(9))).toEqual({ waiting: 2, oldestDueAt: at(1) });
    await committed(store, settled("x", 1));
    expect(await store.outbox(at(9))).toEqual({ waiting: 1, oldestDueAt: at(5) });
  });
}
