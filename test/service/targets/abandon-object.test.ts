import { afterEach, beforeEach, expect, test } from "vitest";
import { hourMs, minuteMs } from "../../../src/core/values/time.ts";
import { unwrap } from "../support/service-harness.ts";
import { openTargetHarness, statesOf, type Holding, type TargetHarness } from "../support/target-harness.ts";

let harness: TargetHarness;
beforeEach(async () => {
  harness = await openTargetHarness({ more: [{ name: "cache", resources: "cache:" }] });
});
afterEach(() => harness.close());

const reason = "The server is gone for good";
const abandon = async (object: string, connector = "orders-db") =>
  harness.services.connectors.abandon(await harness.caller("cid", "admin"), connector, { object, reason });
const records = async (action: string) => (await harness.audit()).filter((one) => one.action === action);
const complete = async ({ id }: Holding) =>
  unwrap(await harness.services.requestCommands.complete(await harness.caller("dev"), id));

test("an abandoned object is not retried, never reported as gone, and recorded with person and reason", async () => {
  const holding = await harness.holding();
  await complete(holding);
  harness.target.trouble.isDown = true;
  await harness.live(5 * minuteMs);
  expect(await statesOf(harness, holding.id)).toEqual(["REVOKE_OVERDUE"]);
  expect(unwrap(await abandon(holding.object))).toEqual({
    connector: "orders-db",
    object: holding.object,
    state: "ABANDONED",
    requestId: holding.id,
  });
  expect(await statesOf(harness, holding.id)).toEqual(["ABANDONED"]);
  expect(await records("connector.abandoned")).toMatchObject([
    { data: { connector: "orders-db", object: holding.object, reason } },
  ]);
  const before = harness.target.calls.filter((verb) => verb === "takeBack").length;
  await harness.live(30 * minuteMs);
  expect(harness.target.calls.filter((verb) => verb === "takeBack").length).toBe(before);
  expect(await records("target.revoked")).toEqual([]);
  expect(await harness.store.connectorsInUse()).toEqual([]);
  expect(await harness.store.takeBacks()).toMatchObject({ waiting: 0, overdue: 0 });
});

test("live access ends in the same commit, and its other objects are taken back", async () => {
  const holding = await harness.holding({ scopes: ["read:prod:orders-db", "read:cache:orders"] });
  harness.target.trouble.isDown = true;
  unwrap(await abandon(holding.object));
  expect((await harness.services.tokenChecks.introspect(holding.token)).active).toBe(false);
  const [ended] = await records("grant.revoked");
  const [given] = await records("connector.abandoned");
  expect([ended?.data["reason"], given?.data["reason"]]).toEqual([reason, reason]);
  await harness.live(minuteMs);
  expect((await statesOf(harness, holding.id)).toSorted()).toEqual(["ABANDONED", "REVOKED"]);
});

test("access that the clock has ended is recorded as expired, not as revoked", async () => {
  const holding = await harness.holding();
  harness.target.trouble.isDown = true;
  harness.clock.pass(48 * hourMs);
  unwrap(await abandon(holding.object));
  expect(await records("grant.revoked")).toEqual([]);
  expect(await records("grant.expired")).toHaveLength(1);
  expect(await statesOf(harness, holding.id)).toEqual(["ABANDONED"]);
});

test("an object in preparation is abandoned with its request", async () => {
  harness.target.trouble.isDown = true;
  const id = await harness.approved();
  await harness.claim(id);
  const object = (await harness.store.request(id as never))?.grant?.value.targets[0]?.spec.object ?? "";
  unwrap(await abandon(object));
  expect(await statesOf(harness, id)).toEqual(["ABANDONED"]);
  expect((await harness.claim(id)) as object).toMatchObject({ refused: expect.anything() });
});

test("an abandoned object whose target returns is removed as an orphan", async () => {
  const holding = await harness.holding();
  harness.target.trouble.isDown = true;
  unwrap(await abandon(holding.object));
  harness.target.trouble.isDown = false;
  expect(Object.keys(harness.target.state().objects)).toEqual([holding.object]);
  harness.clock.pass(minuteMs);
  await harness.sweepOrphans();
  expect(harness.target.state().objects).toEqual({});
  expect(await records("orphan.removed")).toMatchObject([
    { data: { object: holding.object, standing: "over" } },
  ]);
  expect(await statesOf(harness, holding.id)).toEqual(["ABANDONED"]);
});

test("refused: abandoned before, unknown, at another target, confirmed gone, or not an administrator", async () => {
  const holding = await harness.holding();
  const { object } = holding;
  const approver = await harness.caller("ann", "approver");
  const ask = { object, reason };
  expect(await harness.services.connectors.abandon(approver, "orders-db", ask)).toMatchObject({
    refused: "missing_role",
  });
  for (const [name, at] of [
    [`${object}0`, "orders-db"],
    ["jit_gr_nobody_0123ab", "orders-db"],
    ["postgres", "orders-db"],
    [object, "cache"],
    [object, "nowhere"],
  ] as const) {
    expect(await abandon(name, at)).toMatchObject({ refused: "not_found" });
  }
  expect((await harness.services.tokenChecks.introspect(holding.token)).active).toBe(true);
  unwrap(await abandon(object));
  expect(await abandon(object)).toMatchObject({ refused: "already_abandoned" });
  const other = await harness.holding();
  await complete(other);
  await harness.tick();
  expect(await abandon(other.object)).toMatchObject({ refused: "not_found" });
});

test("a concurrent abandon and take-back leave one result, and both stay readable", async () => {
  const holding = await harness.holding();
  await complete(holding);
  const [given] = await Promise.all([abandon(holding.object), harness.tick()]);
  const [state] = await statesOf(harness, holding.id);
  expect(["ABANDONED", "REVOKED"]).toContain(state);
  expect("refused" in given).toBe(state === "REVOKED");
  expect(
    [...(await records("connector.abandoned")), ...(await records("target.revoked"))].map(
      ({ action }) => action,
    ),
  ).toEqual([state === "ABANDONED" ? "connector.abandoned" : "target.revoked"]);
});
