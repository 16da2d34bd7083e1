import { expect, test } from "vitest";
import type { Cursor } from "../../../src/service/ports/store.ts";
import { at, auditFixture, stepFixture } from "../../support/fixtures.ts";
import type { OpenEmptyStore } from "./store-contract.ts";
import { committed } from "../../support/committed.ts";

const cursor = (name: string, changes: Partial<Cursor> = {}): Cursor => ({
  name,
  seq: 0,
  attempts: 0,
  failingSince: null,
  dueAt: null,
  disabled: null,
  configuration: "c",
  ...changes,
});
const put = (value: Cursor) => stepFixture({ writes: [{ kind: "cursor", value }] });

export function cursorContract(open: OpenEmptyStore): void {
  test("a cursor is read back as last written", async () => {
    const store = await open();
    expect(await store.cursors()).toEqual([]);
    const later = cursor("webhook:b", { seq: 7, attempts: 2, failingSince: at(1), dueAt: at(5) });
    await committed(store, put(cursor("webhook:b")), put(cursor("file", { seq: 3 })), put(later));
    expect(await store.cursors()).toEqual([cursor("file", { seq: 3 }), later]);
  });

  test("a removed cursor starts again from nothing, and removing it twice does no harm", async () => {
    const store = await open();
    const drop = stepFixture({ writes: [{ kind: "cursorDropped", name: "webhook:a" }] });
    await committed(store, put(cursor("webhook:a", { seq: 9 })), drop, drop);
    expect(await store.cursors()).toEqual([]);
  });

  test("a cursor is written together with its audit record or not at all", async () => {
    const store = await open();
    const step = {
      ...put(cursor("webhook:a", { disabled: "gone" })),
      audit: [auditFixture({ action: "notification.failed" })],
    };
    await committed(store, step);
    const moved = { ...put(cursor("webhook:a", { seq: 5 })), unique: [{ take: "x", owner: "a" }] };
    await committed(store, stepFixture({ unique: [{ take: "x", owner: "b" }] }));
    expect(await store.commit(moved)).toMatchObject({ conflict: "unique" });
    expect(await store.cursors()).toMatchObject([{ seq: 0, disabled: "gone" }]);
    expect((await store.auditHead()).seq).toBe(1);
  });
}
