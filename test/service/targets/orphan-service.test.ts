import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { assertPresent } from "../../../src/core/values/assert.ts";
import { makeId, parseId } from "../../../src/core/values/ids.ts";
import { orphanGraceMs } from "../../../src/core/access/orphan-status.ts";
import { hourMs, minuteMs, secondMs } from "../../../src/core/values/time.ts";
import { createOrphanService } from "../../../src/service/targets/orphan-service.ts";
import { startOrphanSweep } from "../../../src/background/sweeps/orphan-sweep.ts";
import type { FakeObject } from "../../fakes/fake-target.ts";
import { whyNotLeave } from "../../../src/service/targets/reconcile-connectors.ts";
import { unwrap } from "../support/service-harness.ts";
import { openTargetHarness, statesOf, view, type TargetHarness } from "../support/target-harness.ts";

let harness: TargetHarness;
beforeEach(async () => {
  harness = await openTargetHarness();
});
afterEach(() => harness.close());

const objects = () => harness.target.state().objects;
const recordsOf = async (action: string) =>
  (await harness.audit()).filter((one) => one.action === action).map((one) => one.data);

const object = (more: Partial<FakeObject> = {}): FakeObject => ({
  grantId: "gr_stranger",
  notAfter: harness.clock.now() + hourMs,
  rights: {},
  secretHash: null,
  issued: 1,
  drift: [],
  ...more,
});

describe("what a target lists", () => {
  test("of a live grant is left alone", async () => {
    const { object: name } = await harness.holding();
    await harness.live(hourMs);
    expect(Object.keys(objects())).toEqual([name]);
    expect(await recordsOf("orphan.found")).toEqual([]);
    expect(await recordsOf("target.drifted")).toEqual([]);
  });

  test("foreign objects are never touched", async () => {
    harness.target.change((all) => {
      all["postgres"] = object({ grantId: null, notAfter: 0 });
    });
    await harness.live(2 * orphanGraceMs);
    expect(Object.keys(objects())).toEqual(["postgres"]);
    expect(await recordsOf("orphan.found")).toEqual([]);
  });

  test("unexplained: reported once, removed only after its grace period", async () => {
    harness.target.change((all) => {
      all["jit_stranger"] = object();
    });
    await harness.live(orphanGraceMs - minuteMs);
    expect(Object.keys(objects())).toEqual(["jit_stranger"]);
    expect(await recordsOf("orphan.found")).toMatchObject([
      { connector: "orders-db", object: "jit_stranger", grant: "gr_stranger", standing: "unexplained" },
    ]);
    await harness.live(2 * minuteMs);
    expect(objects()).toEqual({});
    expect(await recordsOf("orphan.removed")).toHaveLength(1);
  });

  test("expired by its label and of no known grant: removed at once", async () => {
    harness.target.change((all) => {
      all["jit_stranger"] = object({ notAfter: harness.clock.now() - 1 });
    });
    await harness.sweepOrphans();
    expect(objects()).toEqual({});
    expect(await recordsOf("orphan.removed")).toMatchObject([{ standing: "expired" }]);
  });

  test("exists again although our records say it is gone: removed at once", async () => {
    const { id, object: name } = await harness.holding();
    unwrap(await harness.services.requestCommands.complete(await harness.caller("dev"), id));
    await harness.tick();
    harness.clock.pass(secondMs);
    harness.target.change((all) => {
      all[name] = object({ grantId: String(harness.target.state().history[0]).replace("create jit_", "") });
    });
    await harness.sweepOrphans();
    expect(objects()).toEqual({});
    expect(await recordsOf("orphan.removed")).toMatchObject([{ standing: "over" }]);
  });

  test("a copied live label or an unreadable label: reported and kept for people to decide", async () => {
    const { object: name } = await harness.holding();
    const grantId = String(objects()[name]?.grantId);
    harness.target.change((all) => {
      all["jit_copy"] = object({ grantId });
      all["jit_torn"] = object({ grantId: "not an id" });
    });
    await harness.live(orphanGraceMs + minuteMs);
    expect(Object.keys(objects()).toSorted()).toEqual([name, "jit_copy", "jit_torn"].toSorted());
    expect((await recordsOf("orphan.found")).map((one) => one["standing"])).toEqual([
      "contradictory",
      "contradictory",
    ]);
  });

  test("an object in preparation is never treated as an orphan", async () => {
    harness.target.trouble.latencyMs = 20;
    const ids = await Promise.all(
      Array.from({ length: 8 }, (_, index) => harness.approved({ scopes: [`read:prod:db-${index}`] })),
    );
    const over = new AbortController();
    const sweeping = (async () => {
      while (!over.signal.aborted) await harness.sweepOrphans();
    })();
    const answers = await Promise.all(ids.map((id) => harness.claim(id)));
    over.abort();
    await sweeping;
    for (const answer of answers) expect(unwrap(answer).request.status).toBe("ACTIVE");
    expect(Object.keys(objects())).toHaveLength(ids.length);
    expect(await recordsOf("orphan.found")).toEqual([]);
    expect(await recordsOf("orphan.removed")).toEqual([]);
    expect(await recordsOf("target.drifted")).toEqual([]);
  });

  test("an object that becomes expected between check and removal is not removed", async () => {
    const { object: name } = await harness.holding();
    const wanted = objects()[name];
    harness.target.change((all) => Object.assign(all[name] ?? {}, { notAfter: harness.clock.now() - 1 }));
    let reads = 0;
    const { store } = harness.context;
    const late: typeof store = {
      ...store,
      // The record is committed after the first look.
      grant: async (id) => (reads++ === 0 ? undefined : store.grant(id)),
    };
    const orphans = createOrphanService(
      { ...harness.context, store: late },
      harness.services.targets,
      (fault) => {
        throw fault;
      },
    );
    await orphans.sweep(harness.target, new AbortController().signal);
    expect(reads).toBe(2);
    expect(Object.keys(objects())).toEqual([name]);
    expect(objects()[name]?.secretHash).toBe(wanted?.secretHash);
    expect(await recordsOf("orphan.removed")).toEqual([]);
  });

  test("an orphan is removed only if it still is one under the lock", async () => {
    const { object: name } = await harness.holding();
    const grantId = assertPresent(parseId("grant", String(objects()[name]?.grantId)), "a grant");
    const answers = [true, false];
    const asked: number[] = [];
    for (const answer of answers) {
      const isRemoved = await harness.services.targets.removeOrphan(
        harness.target,
        { object: name, grantId },
        async () => {
          asked.push(Object.keys(objects()).length);
          return !answer;
        },
        AbortSignal.timeout(10_000),
      );
      expect(isRemoved).toBe(!answer);
    }
    expect(asked).toEqual([1, 1]);
    expect(objects()).toEqual({});
  });

  test("a hanging target delays neither the sweep of another one nor a stop", async () => {
    const other = harness.add({ name: "cache" });
    harness.target.trouble.latencyMs = 60_000;
    harness.target.trouble.ignoresAbort = true;
    const stranger = makeId("grant", "stranger");
    other.change((all) => {
      all["jit_stranger"] = object({ grantId: stranger, notAfter: 0 });
    });
    const sweep = startOrphanSweep(harness.context.connectors, harness.services.orphans, () => {}, 1e6);
    void sweep.tick();
    await expect.poll(() => Object.keys(other.state().objects)).toEqual([]);
    await sweep.stop();
  });
});

describe("drift", () => {
  test("drift is recorded once per change, and the object is still removed at the end", async () => {
    const { id, object: name } = await harness.holding();
    await harness.live(minuteMs);
    harness.target.change((all) =>
      Object.assign(all[name] ?? {}, { drift: ["it was granted orders_admin"] }),
    );
    await harness.live(2 * minuteMs);
    expect((await view(harness, id)).grant?.targets[0]?.drift).toEqual(["it was granted orders_admin"]);
    harness.target.change((all) =>
      Object.assign(all[name] ?? {}, { drift: [], notAfter: harness.clock.now() + 100 * hourMs }),
    );
    await harness.live(2 * minuteMs);
    harness.target.change((all) => Reflect.deleteProperty(all, name));
    await harness.live(2 * minuteMs);
    expect((await recordsOf("target.drifted")).map((one) => one["drift"])).toEqual([
      ["it was granted orders_admin"],
      [expect.stringContaining("lasts later")],
      ["it is not there any more"],
    ]);
    harness.target.change((all) => {
      all[name] = object({ grantId: name.replace("jit_", "") });
    });
    unwrap(await harness.services.requestCommands.complete(await harness.caller("dev"), id));
    await harness.tick();
    expect(objects()).toEqual({});
    expect(await statesOf(harness, id)).toEqual(["REVOKED"]);
  });
});

test("a target that was down during the whole grant is cleared within a minute of its return", async () => {
  const { object: name } = await harness.holding();
  harness.target.trouble.isDown = true;
  await harness.live(5 * hourMs);
  expect(Object.keys(objects())).toEqual([name]);
  harness.target.trouble.isDown = false;
  await harness.live(minuteMs);
  expect(objects()).toEqual({});
}, 60_000);

test("a thousand grants that end at once are all taken back while checks are answered", async () => {
  const count = 1_000;
  await harness.configure([...(await harness.context.rulebook()).book.policies], {
    limits: { pendingPerIdentity: 2_000, activePerIdentity: 2_000 },
  });
  let token = "";
  for (let done = 0; done < count; done += 50) {
    const asked = await Promise.all(
      Array.from({ length: 50 }, (_, index) =>
        harness.ask("dev", { scopes: [`auto:prod:db-${done + index}`], duration: "1h" }),
      ),
    );
    for (const one of asked) token = unwrap(one).credential?.token ?? token;
  }
  const listed = Object.keys(objects()).length;
  expect(listed).toBe(count);
  harness.clock.pass(hourMs);
  const over = new AbortController();
  /** How many objects were left when each check was answered. */
  const leftAtCheck: number[] = [];
  const checking = (async () => {
    while (!over.signal.aborted) {
      expect((await harness.services.tokenChecks.introspect(token)).active).toBe(false);
      leftAtCheck.push(Object.keys(objects()).length);
      await new Promise((passed) => setTimeout(passed, 5));
    }
  })();
  await harness.tick();
  over.abort();
  await checking;
  expect(objects()).toEqual({});
  expect(new Set(leftAtCheck.filter((left) => left > 0 && left < count)).size).toBeGreaterThan(3);
  expect(await harness.store.takeBacks()).toMatchObject({ waiting: 0 });
}, 120_000);

test("a connector that still holds objects cannot be removed by a reload; an empty one can", async () => {
  const { id } = await harness.holding();
  const before = new Map(harness.connectors);
  const leaves = async () => whyNotLeave(harness.store, before, new Map());
  expect((await leaves())?.detail).toMatch(/orders-db still holds 1 object .*cannot be removed/);
  expect(await whyNotLeave(harness.store, before, before)).toBeUndefined();
  expect(await whyNotLeave(harness.store, new Map(), new Map())).toBeUndefined();
  unwrap(await harness.services.requestCommands.complete(await harness.caller("dev"), id));
  await harness.tick();
  expect(await leaves()).toBeUndefined();
});
