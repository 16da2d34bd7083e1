import { afterEach, beforeEach, expect, test } from "vitest";
import { hourMs, minuteMs } from "../../../src/core/values/time.ts";
import { granted } from "../support/service-harness.ts";
import { openTargetOffice, statesOf, type Holding, type TargetOffice } from "../support/target-harness.ts";

let office: TargetOffice;
beforeEach(async () => {
  office = await openTargetOffice({ more: [{ name: "cache", resources: "cache:" }] });
});
afterEach(() => office.close());

const reason = "The server is gone for good";
const abandon = async (object: string, connector = "orders-db") =>
  office.services.connectors.abandon(await office.caller("cid", "admin"), connector, { object, reason });
const records = async (action: string) => (await office.audit()).filter((one) => one.action === action);
const complete = async ({ id }: Holding) =>
  granted(await office.services.desk.complete(await office.caller("dev"), id));

test("an object at a lost target is given up: not tried any more, never called gone, and on record with who and why", async () => {
  const holding = await office.holding();
  await complete(holding);
  office.target.trouble.isDown = true;
  await office.live(5 * minuteMs);
  expect(await statesOf(office, holding.id)).toEqual(["REVOKE_OVERDUE"]);
  expect(granted(await abandon(holding.object))).toEqual({
    connector: "orders-db",
    object: holding.object,
    state: "ABANDONED",
    requestId: holding.id,
  });
  expect(await statesOf(office, holding.id)).toEqual(["ABANDONED"]);
  expect(await records("connector.abandoned")).toMatchObject([
    { data: { connector: "orders-db", object: holding.object, reason } },
  ]);
  const before = office.target.calls.filter((verb) => verb === "takeBack").length;
  await office.live(30 * minuteMs);
  expect(office.target.calls.filter((verb) => verb === "takeBack").length).toBe(before);
  expect(await records("target.revoked")).toEqual([]);
  expect(await office.store.connectorsInUse()).toEqual([]);
  expect(await office.store.takeBacks()).toMatchObject({ waiting: 0, overdue: 0 });
});

test("live access ends in the same commit, and what it has elsewhere is taken back", async () => {
  const holding = await office.holding({ scopes: ["read:prod:orders-db", "read:cache:orders"] });
  office.target.trouble.isDown = true;
  granted(await abandon(holding.object));
  expect((await office.services.checking.introspect(holding.token)).active).toBe(false);
  const [ended] = await records("grant.revoked");
  const [given] = await records("connector.abandoned");
  expect([ended?.data["reason"], given?.data["reason"]]).toEqual([reason, reason]);
  await office.live(minuteMs);
  expect((await statesOf(office, holding.id)).toSorted()).toEqual(["ABANDONED", "REVOKED"]);
});

test("access that time has ended is given up as expired, not as revoked", async () => {
  const holding = await office.holding();
  office.target.trouble.isDown = true;
  office.clock.pass(48 * hourMs);
  granted(await abandon(holding.object));
  expect(await records("grant.revoked")).toEqual([]);
  expect(await records("grant.expired")).toHaveLength(1);
  expect(await statesOf(office, holding.id)).toEqual(["ABANDONED"]);
});

test("what is still being made ready is given up with its request", async () => {
  office.target.trouble.isDown = true;
  const id = await office.approved();
  await office.claim(id);
  const object = (await office.store.request(id as never))?.grant?.value.targets[0]?.order.object ?? "";
  granted(await abandon(object));
  expect(await statesOf(office, id)).toEqual(["ABANDONED"]);
  expect((await office.claim(id)) as object).toMatchObject({ refused: expect.anything() });
});

test("what returns with its target is removed as an orphan", async () => {
  const holding = await office.holding();
  office.target.trouble.isDown = true;
  granted(await abandon(holding.object));
  office.target.trouble.isDown = false;
  expect(Object.keys(office.target.state().objects)).toEqual([holding.object]);
  office.clock.pass(minuteMs);
  await office.sweepOrphans();
  expect(office.target.state().objects).toEqual({});
  expect(await records("orphan.removed")).toMatchObject([
    { data: { object: holding.object, standing: "over" } },
  ]);
  expect(await statesOf(office, holding.id)).toEqual(["ABANDONED"]);
});

test("nothing is given up twice, unknown, elsewhere, confirmed gone, or by anybody but an administrator", async () => {
  const holding = await office.holding();
  const { object } = holding;
  const approver = await office.caller("ann", "approver");
  const ask = { object, reason };
  expect(await office.services.connectors.abandon(approver, "orders-db", ask)).toMatchObject({
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
  expect((await office.services.checking.introspect(holding.token)).active).toBe(true);
  granted(await abandon(object));
  expect(await abandon(object)).toMatchObject({ refused: "already_abandoned" });
  const other = await office.holding();
  await complete(other);
  await office.tick();
  expect(await abandon(other.object)).toMatchObject({ refused: "not_found" });
});

test("of an abandon and a take-back at the same moment one is written, and both can be read", async () => {
  const holding = await office.holding();
  await complete(holding);
  const [given] = await Promise.all([abandon(holding.object), office.tick()]);
  const [state] = await statesOf(office, holding.id);
  expect(["ABANDONED", "REVOKED"]).toContain(state);
  expect("refused" in given).toBe(state === "REVOKED");
  expect(
    [...(await records("connector.abandoned")), ...(await records("target.revoked"))].map(
      ({ action }) => action,
    ),
  ).toEqual([state === "ABANDONED" ? "connector.abandoned" : "target.revoked"]);
});
