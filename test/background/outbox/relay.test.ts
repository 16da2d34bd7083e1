import { afterEach, beforeEach, expect, test } from "vitest";
import type { Effect } from "../../../src/core/effects/effects.ts";
import { makeId } from "../../../src/core/values/ids.ts";
import { minuteMs, plus, secondMs } from "../../../src/core/values/time.ts";
import { backoffMaxMs, leaseMs } from "../../../src/background/outbox/attempt-effect.ts";
import { perDestinationMax } from "../../../src/background/outbox/circuit-breaker.ts";
import { createRunners } from "../../../src/background/outbox/runners/effect-runners.ts";
import { createRelay, type Relay } from "../../../src/background/outbox/relay.ts";
import { newEffect } from "../../../src/service/decisions/build-step.ts";
import { recordOnly } from "../../../src/service/decisions/decide-and-commit.ts";
import { withCommitListeners } from "../../../src/service/ports/observed-store.ts";
import { staff, openServiceHarness, type ServiceHarness } from "../../service/support/service-harness.ts";

let harness: ServiceHarness;
beforeEach(async () => {
  harness = await openServiceHarness();
});
afterEach(async () => {
  await harness.close();
});

const silent = { info: () => {}, warn: () => {} };
const endOf = (name: string): Effect => ({ kind: "end_access_of", identityId: staff(name).id });
const addEffects = async (...effects: readonly Effect[]): Promise<void> => {
  const { runtime } = harness.context;
  const step = {
    ...recordOnly([]),
    effects: effects.map((effect) => newEffect(effect, { now: harness.clock.now(), runtime })),
  };
  expect(await harness.store.commit(step)).toEqual({ ok: true });
};

interface RelayHarness {
  readonly relay: Relay;
  readonly done: string[];
  readonly faults: number[];
}

function relayWith(run: (name: string) => Promise<void> | void): RelayHarness {
  const done: string[] = [];
  const faults: number[] = [];
  const runner = {
    run: async (effect: Extract<Effect, { kind: "end_access_of" }>) => {
      await run(effect.identityId);
      done.push(effect.identityId);
    },
  };
  const relay = createRelay(
    harness.store,
    harness.context.runtime,
    { ...createRunners(harness.context, harness.services, silent), end_access_of: runner },
    (_, { attempts }) => faults.push(attempts),
    () => 0.5,
  );
  return { relay, done, faults };
}

test("effects are run and settled once", async () => {
  const { relay, done } = relayWith(() => {});
  await addEffects(endOf("dev"), endOf("ann"));
  await relay.drain();
  expect(done.toSorted()).toEqual(["id_ann", "id_dev"]);
  await relay.drain();
  expect(done).toHaveLength(2);
  expect(await harness.store.outbox(harness.clock.now())).toEqual({ waiting: 0, oldestDueAt: null });
});

test("a failing effect is retried forever with growing waits, and delays no other", async () => {
  const { relay, done, faults } = relayWith((id) => {
    if (id === "id_dev") throw new Error("down");
  });
  await addEffects(endOf("dev"), endOf("ann"));
  await relay.drain();
  expect([done, faults]).toEqual([["id_ann"], [1]]);
  const waits: number[] = [];
  for (let round = 0; round < 12; round++) {
    let waited = 0;
    for (const before = faults.length; faults.length === before; waited += secondMs) {
      harness.clock.pass(secondMs);
      await relay.drain();
    }
    waits.push(waited);
  }
  expect(waits.slice(0, 4)).toEqual([1, 2, 4, 8].map((seconds) => seconds * secondMs));
  expect(waits.at(-1)).toBe(backoffMaxMs);
});

test("an effect leased by a dead relay is run after the lease expires, not before", async () => {
  await addEffects(endOf("dev"));
  const [due] = await harness.store.dueEffects(harness.clock.now(), 1);
  if (due === undefined) throw new Error("nothing is due");
  const until = plus(harness.clock.now(), leaseMs);
  await harness.store.commit({
    ...recordOnly([]),
    writes: [{ kind: "effectLeased", id: due.id, lease: due.lease, until }],
  });
  const { relay, done } = relayWith(() => {});
  await relay.drain();
  expect(done).toEqual([]);
  harness.clock.pass(leaseMs + minuteMs);
  await relay.drain();
  expect(done).toEqual(["id_dev"]);
});

test("effects leased by a killed process are run as soon as the next one starts", async () => {
  await addEffects(endOf("dev"), endOf("ann"));
  const due = await harness.store.dueEffects(harness.clock.now(), 2);
  const until = plus(harness.clock.now(), leaseMs);
  const writes = due.map(({ id, lease }) => ({ kind: "effectLeased", id, lease, until }) as const);
  await harness.store.commit({ ...recordOnly([]), writes });
  const { relay, done } = relayWith(() => {});
  harness.clock.pass(secondMs);
  await relay.begin();
  await relay.drain();
  expect(done.toSorted()).toEqual(["id_ann", "id_dev"]);
});

test("a commit with an effect wakes the relay", async () => {
  const { relay, done } = relayWith(() => {});
  const { runtime } = harness.context;
  const store = withCommitListeners(harness.store, [() => relay.wake()]);
  await store.commit({
    ...recordOnly([]),
    effects: [newEffect(endOf("dev"), { now: harness.clock.now(), runtime })],
  });
  await expect.poll(() => done).toEqual(["id_dev"]);
});

test("a stopped relay starts nothing more and waits for running effects", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const { relay, done } = relayWith(() => promise);
  await addEffects(endOf("dev"));
  const draining = relay.drain();
  await expect.poll(async () => (await harness.store.dueEffects(harness.clock.now(), 5)).length).toBe(0);
  const stopping = relay.stop();
  resolve();
  await Promise.all([draining, stopping]);
  expect(done).toEqual(["id_dev"]);
  await addEffects(endOf("ann"));
  await relay.drain();
  expect(done).toEqual(["id_dev"]);
});

test("a stop waits for effects that were being leased, and leaves none leased", async () => {
  const { relay, done } = relayWith(() => {});
  await addEffects(endOf("dev"), endOf("ann"));
  const draining = relay.drain();
  await relay.stop();
  expect(done.toSorted()).toEqual(["id_ann", "id_dev"]);
  expect(await harness.store.outbox(harness.clock.now())).toEqual({ waiting: 0, oldestDueAt: null });
  await draining;
});

test("slow take-backs at a target leave slots for claims at the same target", async () => {
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  const started: string[] = [];
  const start = ({ kind, grantId }: Effect & { readonly grantId: string }) =>
    void started.push(`${kind} ${grantId}`);
  const relay = createRelay(
    harness.store,
    harness.context.runtime,
    {
      ...createRunners(harness.context, harness.services, silent),
      take_back: { run: async (effect) => (start(effect), released) },
      provision: { run: async (effect) => start(effect) },
    },
    () => {},
    () => 0.5,
  );
  const at = (name: string) => ({ grantId: makeId("grant", name), connector: "web-hosts" });
  await addEffects(
    ...Array.from({ length: perDestinationMax + 2 }, (_, n): Effect => ({
      kind: "take_back",
      ...at(`s${n}`),
    })),
  );
  const drained = relay.drain();
  await expect.poll(() => started.length).toBe(perDestinationMax);
  await addEffects({ kind: "provision", ...at("claimed") });
  relay.wake();
  await expect.poll(() => started.filter((name) => name.startsWith("provision"))).toHaveLength(1);
  expect(started).toHaveLength(perDestinationMax + 1);
  release();
  await drained;
  expect(started).toHaveLength(perDestinationMax + 3);
});
