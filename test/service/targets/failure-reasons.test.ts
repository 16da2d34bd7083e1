import { afterEach, beforeEach, expect, test } from "vitest";
import { assertPresent } from "../../../src/core/values/assert.ts";
import { makeId, parseId } from "../../../src/core/values/ids.ts";
import { parseSelector } from "../../../src/core/values/identity.ts";
import { minuteMs } from "../../../src/core/values/time.ts";
import { provisionWithinMs } from "../../../src/core/access/grant.ts";
import { ConnectorFault } from "../../../src/service/ports/connector.ts";
import { reasonOf } from "../../../src/service/targets/target-service.ts";
import { unavailableConnector } from "../../../src/service/targets/unavailable-connector.ts";
import { fakeMessenger } from "../../background/outbox/support/fake-messenger.ts";
import { unwrap } from "../support/service-harness.ts";
import { openTargetHarness, view, type TargetHarness } from "../support/target-harness.ts";

let harness: TargetHarness;
beforeEach(async () => {
  harness = await openTargetHarness();
});
afterEach(() => harness.close());

const failing = (reason: string) =>
  new ConnectorFault("unreachable", "raw text of the driver", {
    retryable: true,
    isTargetDown: true,
    reason,
  });
const always = (reason: string) => Array.from({ length: 500 }, () => failing(reason));
const unknownHost = "its host name is unknown";
const recordsOf = async (action: string) =>
  (await harness.audit()).filter((one) => one.action === action).map((one) => one.data);
const complete = async (id: string) =>
  unwrap(await harness.services.requestCommands.complete(await harness.caller("dev"), id));
const problemOf = async (id: string) => (await view(harness, id)).grant?.targets[0]?.problem;

test("an overdue take-back gives its cause in the audit log, the target's state and the alert", async () => {
  const admin = assertPresent(parseSelector("identity:id_cid"), "a selector");
  await harness.configure([...(await harness.context.rulebook()).book.policies], {
    chatRoles: { admin: [admin], auditor: [] },
  });
  const slack = fakeMessenger("slack");
  harness.context.surfaces.add(slack);
  const { id } = await harness.holding();
  expect(await problemOf(id)).toBeNull();
  harness.target.trouble.faults.takeBack = always(unknownHost);
  await complete(id);
  await harness.live(2 * minuteMs);
  expect(await recordsOf("target.revoke_overdue")).toMatchObject([
    { connector: "orders-db", reason: unknownHost },
  ]);
  expect(await problemOf(id)).toBe(unknownHost);
  const told = slack.notes.filter(({ note }) => note.about === "request" && note.notice === "target_overdue");
  expect(told).toHaveLength(1);
  expect(JSON.stringify(told)).toContain(unknownHost);
  expect(JSON.stringify(await harness.audit())).not.toContain("raw text");

  harness.target.trouble.faults.takeBack = [];
  await harness.live(2 * minuteMs);
  expect(await problemOf(id)).toBeNull();
  expect(harness.target.state().objects).toEqual({});
});

test("a take-back that waits behind another one is overdue for the same cause", async () => {
  const [tried, waiting] = [await harness.holding(), await harness.holding({ scopes: ["read:prod:other"] })];
  harness.target.trouble.faults.takeBack = always(unknownHost);
  await complete(tried.id);
  await harness.tick();
  // The clock stands still, so nobody tries the target again yet.
  await complete(waiting.id);
  await harness.tick();
  expect(await problemOf(waiting.id)).toBeNull();
  harness.clock.pass(2 * minuteMs);
  const grantId = assertPresent(
    parseId("grant", String((await view(harness, waiting.id)).grant?.id)),
    "a grant",
  );
  expect(await harness.services.targets.noteOverdue({ grantId, connector: "orders-db" })).toBe(true);
  expect(await recordsOf("target.revoke_overdue")).toMatchObject([
    { object: waiting.object, reason: unknownHost },
  ]);
});

test("a request that fails because its target stays unreachable gives the cause", async () => {
  const id = await harness.approved();
  harness.target.trouble.faults.provision = always(unknownHost);
  expect(unwrap(await harness.claim(id)).isPreparing).toBe(true);
  expect(await problemOf(id)).toBe(unknownHost);
  await harness.live(provisionWithinMs + minuteMs);
  const { status, endReason } = await view(harness, id);
  expect({ status, endReason }).toEqual({
    status: "FAILED",
    endReason: `orders-db could not provide the access: ${unknownHost}`,
  });
  expect(await recordsOf("grant.failed")).toMatchObject([{ reason: expect.stringContaining(unknownHost) }]);
});

test("an unchanged cause is recorded once", async () => {
  const { id } = await harness.holding();
  harness.target.trouble.faults.takeBack = always(unknownHost);
  await complete(id);
  await harness.tick();
  await harness.live(2 * minuteMs);
  const grantId = assertPresent(parseId("grant", String((await view(harness, id)).grant?.id)), "a grant");
  const before = (await harness.store.grant(grantId))?.version;
  await harness.live(2 * minuteMs);
  expect((await harness.store.grant(grantId))?.version).toBe(before);
  harness.target.trouble.faults.takeBack = always("nothing listens on its port (connection refused)");
  await harness.live(2 * minuteMs);
  expect(await problemOf(id)).toBe("nothing listens on its port (connection refused)");
});

test("an unavailable connector gives its cause, also for take-backs", async () => {
  const unavailable = unavailableConnector(harness.target, "the environment variable ORDERS_DB is not set");
  const spec = { connector: "orders-db", object: "jit_x", grantId: makeId("grant", "x") };
  const signal = new AbortController().signal;
  expect(await Promise.resolve(unavailable.takeBack(spec, signal)).catch(reasonOf)).toBe(
    "it is not available: the environment variable ORDERS_DB is not set",
  );
});
