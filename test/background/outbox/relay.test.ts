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
const put = async (...effects: readonly Effect[]): Promise<void> => {
  const { runtime } = harness.context;
  const step = {
    ...recordOnly([]),
    effects: effects.map((one) => newEffect(one, { now: harness.clock.now(), runtime })),
  };
  expect(await harness.store.commit(step)).toEqual({ ok: true });
};

interface Runs {
  readonly relay: Relay;
  readonly done: string[];
  readonly faults: number[];
}

function relayThat(run: (name: string) => Promise<void> | void): Runs {
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

test("what was decided is done and settled", async () => {
  const { relay, done } = relayThat(() => {});
  await put(endOf("dev"), endOf("ann"));
  await relay.drain();
  expect(done.toSorted()).toEqual(["id_ann", "id_dev"]);
  await relay.drain();
  expect(done).toHaveLength(2);
  expect(await harness.store.outbox(harness.clock.now())).toEqual({ waiting: 0, oldestDueAt: null });
});

test("a fault is put back with growing waits up to a limit, for ever, and harms no other", async () => {
  const { relay, done, faults } = relayThat((id) => {
    if (id === "id_dev") throw new Error("down");
  });
  await put(endOf("dev"), endOf("ann"));
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

test("a relay that died is succeeded when its lease has run out, not before", async () => {
  await put(endOf("dev"));
  const [due] = await harness.store.dueEffects(harness.clock.now(), 1);
  if (due === undefined) throw new Error("nothing is due");
  const until = plus(harness.clock.now(), leaseMs);
  await harness.store.commit({
    ...recordOnly([]),
    writes: [{ kind: "effectLeased", id: due.id, lease: due.lease, until }],
  });
  const { relay, done } = relayThat(() => {});
  await relay.drain();
  expect(done).toEqual([]);
  harness.clock.pass(leaseMs + minuteMs);
  await relay.drain();
  expect(done).toEqual(["id_dev"]);
});

test("what a killed process was at is done as soon as the next one begins", async () => {
  await put(endOf("dev"), endOf("ann"));
  const due = await harness.store.dueEffects(harness.clock.now(), 2);
  const until = plus(harness.clock.now(), leaseMs);
  const writes = due.map(({ id, lease }) => ({ kind: "effectLeased", id, lease, until }) as const);
  await harness.store.commit({ ...recordOnly([]), writes });
  const { relay, done } = relayThat(() => {});
  harness.clock.pass(secondMs);
  await relay.begin();
  await relay.drain();
  expect(done.toSorted()).toEqual(["id_ann", "id_dev"]);
});

test("a commit that leaves something to do wakes the relay", async () => {
  const { relay, done } = relayThat(() => {});
  const { runtime } = harness.context;
  const store = withCommitListeners(harness.store, [() => relay.wake()]);
  await store.commit({
    ...recordOnly([]),
    effects: [newEffect(endOf("dev"), { now: harness.clock.now(), runtime })],
  });
  await expect.poll(() => done).toEqual(["id_dev"]);
});

test("a stopped relay takes no more and waits for what is under way", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const { relay, done } = relayThat(() => promise);
  await put(endOf("dev"));
  const draining = relay.drain();
  await expect.poll(async () => (await harness.store.dueEffects(harness.clock.now(), 5)).length).toBe(0);
  const stopping = relay.stop();
  resolve();
  await Promise.all([draining, stopping]);
  expect(done).toEqual(["id_dev"]);
  await put(endOf("ann"));
  await relay.drain();
  expect(done).toEqual(["id_dev"]);
});

test("a stop waits for what was being claimed when it came, and leaves none of it to the next start", async () => {
  const { relay, done } = relayThat(() => {});
  await put(endOf("dev"), endOf("ann"));
  const draining = relay.drain();
  await relay.stop();
  expect(done.toSorted()).toEqual(["id_ann", "id_dev"]);
  expect(await harness.store.outbox(harness.clock.now())).toEqual({ waiting: 0, oldestDueAt: null });
  await draining;
});

test("take-backs that take long at a target leave room for the claims of others there", async () => {
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  const begun: string[] = [];
  const begin = ({ kind, grantId }: Effect & { readonly grantId: string }) =>
    void begun.push(`${kind} ${grantId}`);
  const relay = createRelay(
    harness.store,
    harness.context.runtime,
    {
      ...createRunners(harness.context, harness.services, silent),
      take_back: { run: async (effect) => (begin(effect), released) },
      provision: { run: async (effect) => begin(effect) },
    },
    () => {},
    () => 0.5,
  );
  const at = (name: string) => ({ grantId: makeId("grant", name), connector: "web-hosts" });
  await put(
    ...Array.from({ length: perDestinationMax + 2 }, (_, n): Effect => ({
      kind: "take_back",
      ...at(`s${n}`),
    })),
  );
  const drained = relay.drain();
  await expect.poll(() => begun.length).toBe(perDestinationMax);
  await put({ kind: "provision", ...at("claimed") });
  relay.wake();
  await expect.poll(() => begun.filter((one) => one.startsWith("provision"))).toHaveLength(1);
  expect(begun).toHaveLength(perDestinationMax + 1);
  release();
  await drained;
  expect(begun).toHaveLength(perDestinationMax + 3);
});
