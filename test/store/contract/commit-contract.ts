import { expect, test } from "vitest";
import { Bug } from "../../../src/core/values/assert.ts";
import type { Step } from "../../../src/service/ports/store.ts";
import {
  idempotencyFixture,
  approvedFixture,
  at,
  auditFixture,
  ids,
  noticeFixture,
  requestFixture,
  stepFixture,
  writeStep,
} from "../../support/fixtures.ts";
import type { OpenEmptyStore } from "./store-contract.ts";
import { committed } from "../../support/committed.ts";

const dueAt = at(60);
const submitted = (tail: string): Step =>
  writeStep([{ kind: "request", value: requestFixture(tail), dueAt }]);
const approved = (tail: string, version: number): Step =>
  writeStep([{ kind: "request", value: approvedFixture(tail), dueAt }], { [ids.request(tail)]: version });

export function commitContract(open: OpenEmptyStore): void {
  test("what is committed is read back as it was written, at version 1 and then one higher each time", async () => {
    const store = await open();
    const value = requestFixture("a", { reason: "Ünïcode 🔑, \ud800 and \n" });
    await committed(store, writeStep([{ kind: "request", value, dueAt }]));
    expect(await store.request(value.id)).toEqual({ request: { value, version: 1 }, grant: undefined });
    await committed(store, approved("a", 1));
    expect((await store.request(value.id))?.request).toEqual({ value: approvedFixture("a"), version: 2 });
    expect(await store.request(ids.request("unknown"))).toBeUndefined();
  });

  test("a step decided from an older version changes nothing and names the record", async () => {
    const store = await open();
    await committed(store, submitted("a"), approved("a", 1));
    const late = {
      ...approved("a", 1),
      audit: [auditFixture()],
      effects: [noticeFixture("a", ids.request("a"))],
    };
    expect(await store.commit(late)).toEqual({ conflict: "version", what: "request:jit_a" });
    expect((await store.request(ids.request("a")))?.request.version).toBe(2);
    expect((await store.auditHead()).seq).toBe(0);
    expect(await store.dueEffects(at(999), 10)).toEqual([]);
  });

  test("a record that must not exist yet is created only once", async () => {
    const store = await open();
    const results = await Promise.all([store.commit(submitted("a")), store.commit(submitted("a"))]);
    expect(results).toEqual([{ ok: true }, { conflict: "version", what: "request:jit_a" }]);
  });

  test("of concurrent changes made from the same version exactly one is written", async () => {
    const store = await open();
    await committed(store, submitted("a"));
    const results = await Promise.all(Array.from({ length: 50 }, () => store.commit(approved("a", 1))));
    expect(results.filter((result) => "ok" in result)).toHaveLength(1);
    expect((await store.request(ids.request("a")))?.request.version).toBe(2);
  });

  test("a step also fails when something it only read has changed", async () => {
    const store = await open();
    await committed(store, submitted("a"));
    const step = {
      ...submitted("b"),
      expects: [...submitted("b").expects, { kind: "key", id: "key_x", version: 3 }],
    } as const;
    expect(await store.commit(step)).toEqual({ conflict: "version", what: "key:key_x" });
    expect(await store.request(ids.request("b"))).toBeUndefined();
  });

  test("a step that writes a record without expecting it, or twice, is a bug and writes nothing", async () => {
    const store = await open();
    const once = submitted("a");
    await expect(store.commit({ ...once, expects: [] })).rejects.toBeInstanceOf(Bug);
    await expect(store.commit({ ...once, writes: [...once.writes, ...once.writes] })).rejects.toBeInstanceOf(
      Bug,
    );
    const lockdown = stepFixture({ writes: [{ kind: "lockdown", on: true }] });
    await expect(store.commit(lockdown)).rejects.toBeInstanceOf(Bug);
    expect(await store.request(ids.request("a"))).toBeUndefined();
  });

  test("a step that conflicts or fails does not affect the steps of the same transaction", async () => {
    const store = await open();
    const broken: Step = {
      ...writeStep([
        { kind: "request", value: requestFixture("broken"), dueAt },
        { kind: "policyDeleted", id: ids.policy("none") },
      ]),
      audit: [auditFixture()],
    };
    const conflicting = writeStep([
      { kind: "request", value: requestFixture("late"), dueAt },
      { kind: "effectSettled", id: ids.effect("none"), lease: 1 },
    ]);
    const recorded = (tail: string): Step => ({
      ...submitted(tail),
      audit: [auditFixture({ request: ids.request(tail) })],
    });
    const results = await Promise.allSettled(
      [recorded("a"), broken, recorded("b"), conflicting, recorded("c")].map((step) => store.commit(step)),
    );
    expect(
      results.map((result) => (result.status === "fulfilled" ? Object.keys(result.value)[0] : "thrown")),
    ).toEqual(["ok", "thrown", "ok", "conflict", "ok"]);
    const found = await Promise.all(
      ["a", "broken", "b", "late", "c"].map((tail) => store.request(ids.request(tail))),
    );
    expect(found.map((one) => one !== undefined)).toEqual([true, false, true, false, true]);
    expect(await store.verifyAudit()).toMatchObject({ ok: true, events: 3 });
  });

  test("of several conflicts the first counts: expectations, names, counters, then writes", async () => {
    const store = await open();
    await committed(store, stepFixture({ unique: [{ take: "open:x", owner: "jit_a" }] }));
    const everything = stepFixture({
      expects: [{ kind: "request", id: "jit_a", version: 9 }],
      unique: [{ take: "open:x", owner: "jit_b" }],
      counters: [{ key: "use", add: 1, max: 0, at: at(0) }],
      writes: [{ kind: "effectSettled", id: ids.effect("none"), lease: 1 }],
    });
    expect(await store.commit(everything)).toMatchObject({ conflict: "version", what: "request:jit_a" });
    expect(await store.commit({ ...everything, expects: [] })).toMatchObject({ conflict: "unique" });
    expect(await store.commit({ ...everything, expects: [], unique: [] })).toMatchObject({
      conflict: "counter",
    });
    expect(await store.commit({ ...everything, expects: [], unique: [], counters: [] })).toEqual({
      conflict: "version",
      what: "effect:evt_none",
    });
  });

  test("more steps than fit into one transaction are all written", async () => {
    const store = await open();
    const tails = Array.from({ length: 300 }, (_, index) => `n${index}`);
    const results = await Promise.all(tails.map((tail) => store.commit(submitted(tail))));
    expect(results.every((result) => "ok" in result)).toBe(true);
    expect((await store.requests({ now: at(0) }, { limit: 200 })).rows).toHaveLength(200);
  });

  test("a step that is waiting when the store closes is written, and a later one is refused", async () => {
    const store = await open();
    const waiting = store.commit(submitted("a"));
    await store.close();
    expect(await waiting).toEqual({ ok: true });
    await expect(store.commit(submitted("b"))).rejects.toMatchObject({ code: "store_unavailable" });
  });

  test("an idempotency record is stored with its step, for its API key, call and idempotency key only", async () => {
    const store = await open();
    const answer = idempotencyFixture();
    await committed(store, { ...submitted("a"), idempotencyRecord: answer });
    expect(await store.idempotencyRecord(answer.keyId, answer.call, "once")).toEqual(answer);
    expect(await store.idempotencyRecord(answer.keyId, answer.call, "twice")).toBeUndefined();
    expect(await store.idempotencyRecord(ids.key("other"), answer.call, "once")).toBeUndefined();
    await store.commit({ ...approved("a", 9), idempotencyRecord: { ...answer, status: 500 } });
    expect((await store.idempotencyRecord(answer.keyId, answer.call, "once"))?.status).toBe(201);
  });

  test("idempotency records older than a day are removed", async () => {
    const store = await open();
    const answer = idempotencyFixture();
    await committed(
      store,
      stepFixture({ idempotencyRecord: answer }),
      stepFixture({ idempotencyRecord: { ...answer, idempotencyKey: "later", at: at(24 * 60) } }),
    );
    expect(await store.idempotencyRecord(answer.keyId, answer.call, "once")).toBeUndefined();
    expect(await store.idempotencyRecord(answer.keyId, answer.call, "later")).toBeDefined();
  });
}
