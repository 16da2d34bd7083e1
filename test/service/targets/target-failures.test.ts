import { afterEach, beforeEach, expect, test } from "vitest";
import { assertPresent } from "../../../src/core/values/assert.ts";
import { parseSelector } from "../../../src/core/values/identity.ts";
import { makeId, parseId } from "../../../src/core/values/ids.ts";
import { minuteMs, secondMs } from "../../../src/core/values/time.ts";
import { perDestinationMax } from "../../../src/background/outbox/circuit-breaker.ts";
import { attemptMs } from "../../../src/background/outbox/attempt-effect.ts";
import {
  createTargetRunners,
  targetAttemptMs,
} from "../../../src/background/outbox/runners/target-runners.ts";
import { fakeMessenger } from "../../background/outbox/support/fake-messenger.ts";
import { refusing } from "../../fakes/fake-target.ts";
import { unwrap } from "../support/service-harness.ts";
import { openTargetHarness, statesOf, type TargetHarness } from "../support/target-harness.ts";

let harness: TargetHarness;
beforeEach(async () => {
  harness = await openTargetHarness();
});
afterEach(() => harness.close());

const complete = async (id: string) =>
  unwrap(await harness.services.requestCommands.complete(await harness.caller("dev"), id));

test("a target that refuses an extension delays neither the end nor other work", async () => {
  const { id } = await harness.holding();
  harness.target.trouble.faults.provision = Array.from({ length: 100 }, () => refusing());
  const more = { duration: "1h", reason: "more" };
  const child = unwrap(await harness.services.requestCommands.extend(await harness.caller("dev"), id, more));
  unwrap(await harness.services.requestCommands.approve(await harness.caller("bob"), child.request.id, {}));
  // By now its next attempt is minutes away.
  await harness.live(20 * minuteMs);
  expect(await statesOf(harness, id)).toEqual(["PROVISIONING"]);
  await complete(id);
  await harness.tick();
  expect(harness.target.state().objects).toEqual({});
  expect(await statesOf(harness, id)).toEqual(["REVOKED"]);
});

test("ended access that is still at its target alerts administrators once", async () => {
  const admin = assertPresent(parseSelector("identity:id_cid"), "a selector");
  await harness.configure([...(await harness.context.rulebook()).book.policies], {
    chatRoles: { admin: [admin], auditor: [] },
  });
  const slack = fakeMessenger("slack");
  harness.context.surfaces.add(slack);
  const { id } = await harness.holding();
  harness.target.trouble.isDown = true;
  await complete(id);
  await harness.live(50 * secondMs);
  expect(slack.noticesAt("@id_cid")).not.toContain("target_overdue");
  await harness.live(20 * minuteMs);
  expect(slack.noticesAt("@id_cid").filter((notice) => notice === "target_overdue")).toHaveLength(1);
});

test("a target that was down at the claim is ready half a minute after its return", async () => {
  const id = await harness.approved();
  harness.target.trouble.isDown = true;
  expect(unwrap(await harness.claim(id)).isPreparing).toBe(true);
  harness.target.trouble.isDown = false;
  await harness.live(30 * secondMs);
  expect(unwrap(await harness.claim(id)).credential?.targets).toHaveLength(1);
});

test("a hanging target that ignores its abort is reported as down before the relay times out", async () => {
  const { id, object } = await harness.holding();
  const grantId = assertPresent(parseId("grant", object.replace("jit_", "")), "a grant");
  await complete(id);
  harness.target.trouble.latencyMs = 7_000;
  harness.target.trouble.ignoresAbort = true;
  const { take_back: takeBack } = createTargetRunners(harness.services.targets, 50);
  const effect = { kind: "take_back", grantId, connector: "orders-db" } as const;
  const about = { id: makeId("effect", "x"), attempts: 0, createdAt: harness.clock.now() };
  await expect(
    Promise.resolve(takeBack.run(effect, new AbortController().signal, about)),
  ).rejects.toMatchObject({ name: "ConnectorFault", code: "timeout", isTargetDown: true });
  expect(targetAttemptMs + 5 * secondMs).toBeLessThan(attemptMs);
});

test("any number of take-backs that fail does not delay claims", async () => {
  const holdings = [];
  for (let count = 0; count < perDestinationMax; count++) {
    holdings.push(await harness.holding({ scopes: [`read:prod:orders-db`], reason: `number ${count}` }));
  }
  const letGo = Promise.withResolvers<void>();
  const { target } = harness;
  const takeBack = async (...call: Parameters<typeof target.takeBack>) => {
    await letGo.promise;
    return target.takeBack(...call);
  };
  harness.connectors.set(target.name, { ...target, takeBack });
  for (const { id } of holdings) await complete(id);
  const id = await harness.approved();
  expect(unwrap(await harness.claim(id)).credential?.targets).toHaveLength(1);
  letGo.resolve();
  await harness.tick();
  expect(await statesOf(harness, holdings[0]?.id ?? "")).toEqual(["REVOKED"]);
});

test("the identity of an object is stored with the grant and passed to the take-back", async () => {
  const { target } = harness;
  const identity = { id: "16384", system: "7000000000000000001" };
  const wanted: unknown[] = [];
  const left = ["In orders: table public.mine, now owned by jit_leftovers."];
  harness.connectors.set(target.name, {
    ...target,
    provision: async (...call) => (await target.provision(...call), identity),
    takeBack: async (object, signal) => {
      wanted.push(object);
      await target.takeBack(object, signal);
      return { left };
    },
  });
  const { id, object } = await harness.holding();
  await complete(id);
  await harness.tick();
  expect(wanted).toEqual([expect.objectContaining({ object, identity })]);
  const [record] = (await harness.audit()).filter(({ action }) => action === "target.revoked");
  expect(record?.data).toMatchObject({ object, left });
});
