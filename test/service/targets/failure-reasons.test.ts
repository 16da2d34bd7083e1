import { afterEach, beforeEach, expect, test } from "vitest";
import { present } from "../../../src/core/values/assert.ts";
import { makeId, parseId } from "../../../src/core/values/ids.ts";
import { parseSelector } from "../../../src/core/values/identity.ts";
import { minuteMs } from "../../../src/core/values/time.ts";
import { provisionWithinMs } from "../../../src/core/access/grant.ts";
import { ConnectorFault } from "../../../src/service/ports/connector.ts";
import { reasonOf } from "../../../src/service/targets/target-service.ts";
import { unavailableConnector } from "../../../src/service/targets/unavailable-connector.ts";
import { fakeMessenger } from "../../background/outbox/support/fake-messenger.ts";
import { granted } from "../support/service-harness.ts";
import { openTargetOffice, view, type TargetOffice } from "../support/target-harness.ts";

let office: TargetOffice;
beforeEach(async () => {
  office = await openTargetOffice();
});
afterEach(() => office.close());

const failing = (reason: string) =>
  new ConnectorFault("unreachable", "raw text of the driver", {
    retryable: true,
    isTargetDown: true,
    reason,
  });
const always = (reason: string) => Array.from({ length: 500 }, () => failing(reason));
const unknownHost = "its host name is unknown";
const recordsOf = async (action: string) =>
  (await office.audit()).filter((one) => one.action === action).map((one) => one.data);
const complete = async (id: string) =>
  granted(await office.services.desk.complete(await office.caller("dev"), id));
const problemOf = async (id: string) => (await view(office, id)).grant?.targets[0]?.problem;

test("a take-back that is overdue says why: on record, in the target's state and to administrators", async () => {
  const admin = present(parseSelector("identity:id_cid"), "a selector");
  await office.configure([...(await office.context.rulebook()).book.policies], {
    chatRoles: { admin: [admin], auditor: [] },
  });
  const slack = fakeMessenger("slack");
  office.context.surfaces.add(slack);
  const { id } = await office.holding();
  expect(await problemOf(id)).toBeNull();
  office.target.trouble.faults.takeBack = always(unknownHost);
  await complete(id);
  await office.live(2 * minuteMs);
  expect(await recordsOf("target.revoke_overdue")).toMatchObject([
    { connector: "orders-db", reason: unknownHost },
  ]);
  expect(await problemOf(id)).toBe(unknownHost);
  const told = slack.said.filter(({ note }) => note.about === "request" && note.notice === "target_overdue");
  expect(told).toHaveLength(1);
  expect(JSON.stringify(told)).toContain(unknownHost);
  expect(JSON.stringify(await office.audit())).not.toContain("raw text");

  office.target.trouble.faults.takeBack = [];
  await office.live(2 * minuteMs);
  expect(await problemOf(id)).toBeNull();
  expect(office.target.state().objects).toEqual({});
});

test("one that waits because another found the target down is overdue for the same reason", async () => {
  const [tried, waiting] = [await office.holding(), await office.holding({ scopes: ["read:prod:other"] })];
  office.target.trouble.faults.takeBack = always(unknownHost);
  await complete(tried.id);
  await office.tick();
  // The clock stands still, so nobody tries the target again yet.
  await complete(waiting.id);
  await office.tick();
  expect(await problemOf(waiting.id)).toBeNull();
  office.clock.pass(2 * minuteMs);
  const grantId = present(parseId("grant", String((await view(office, waiting.id)).grant?.id)), "a grant");
  expect(await office.services.targets.noteOverdue({ grantId, connector: "orders-db" })).toBe(true);
  expect(await recordsOf("target.revoke_overdue")).toMatchObject([
    { object: waiting.object, reason: unknownHost },
  ]);
});

test("a request that fails because its target stays away says why", async () => {
  const id = await office.approved();
  office.target.trouble.faults.provision = always(unknownHost);
  expect(granted(await office.claim(id)).isPreparing).toBe(true);
  expect(await problemOf(id)).toBe(unknownHost);
  await office.live(provisionWithinMs + minuteMs);
  const { status, endReason } = await view(office, id);
  expect({ status, endReason }).toEqual({
    status: "FAILED",
    endReason: `orders-db could not give it: ${unknownHost}`,
  });
  expect(await recordsOf("grant.failed")).toMatchObject([{ reason: expect.stringContaining(unknownHost) }]);
});

test("a cause is written once for as long as it stays the same", async () => {
  const { id } = await office.holding();
  office.target.trouble.faults.takeBack = always(unknownHost);
  await complete(id);
  await office.tick();
  await office.live(2 * minuteMs);
  const grantId = present(parseId("grant", String((await view(office, id)).grant?.id)), "a grant");
  const before = (await office.store.grant(grantId))?.version;
  await office.live(2 * minuteMs);
  expect((await office.store.grant(grantId))?.version).toBe(before);
  office.target.trouble.faults.takeBack = always("nothing listens on its port (connection refused)");
  await office.live(2 * minuteMs);
  expect(await problemOf(id)).toBe("nothing listens on its port (connection refused)");
});

test("a connector that is not available says so, also when it is asked to take back", async () => {
  const unavailable = unavailableConnector(office.target, "the environment variable ORDERS_DB is not set");
  const order = { connector: "orders-db", object: "jit_x", grantId: makeId("grant", "x") };
  const signal = new AbortController().signal;
  expect(await Promise.resolve(unavailable.takeBack(order, signal)).catch(reasonOf)).toBe(
    "it is not available: the environment variable ORDERS_DB is not set",
  );
});
