import { expect, test } from "vitest";
import { assertPresent } from "../../../src/core/values/assert.ts";
import { dayMs, hourMs, plus } from "../../../src/core/values/time.ts";
import { acceptClock, givenAfter } from "../../../src/service/grants/accept-clock.ts";
import { createBootstrapService } from "../../../src/service/people/bootstrap-service.ts";
import { recordOnly } from "../../../src/service/decisions/decide-and-commit.ts";
import { approvalPolicy, stageBy } from "../../core/support/policies.ts";
import { unwrap, serviceHarnessForEach } from "../support/service-harness.ts";

const { harness, requestCommands, approved, claimed, isActive } = serviceHarnessForEach(() => [
  approvalPolicy("asked", { stages: [stageBy("group:dba")] }),
]);

const statusOf = async (id: string): Promise<string> => {
  const found = await harness().services.requestQueries.read(await harness().caller("dev"), id);
  return "refused" in found ? found.refused : found.status;
};
const keyOf = async (name: string) => {
  const admin = await harness().caller("cto", "admin");
  const made = unwrap(
    await harness().services.apiKeys.create(admin, {
      identityId: `id_${name}`,
      roles: ["requester"],
      name: null,
    }),
  );
  return made.key;
};

test("setting the clock back ends what began after the new time and keeps what began before", async () => {
  const { clock, context, store } = harness();
  const before = await claimed({ scopes: ["read:before:live"] });
  const asked = await approved({ scopes: ["read:before:approved"] });
  const open = unwrap(await harness().ask("dev", { scopes: ["read:before:pending"] })).request.id;
  const oldKey = await keyOf("dev");
  const to = plus(clock.now(), hourMs);

  clock.pass(2 * hourMs);
  // Asked before, and approved by the wrong clock: its claim window is counted from then.
  unwrap(await requestCommands().approve(await harness().caller("ann"), open, {}));
  const late = await claimed({ scopes: ["read:late:live"] });
  const waiting = unwrap(await harness().ask("dev", { scopes: ["read:late:pending"] })).request.id;
  const newKey = await keyOf("dev");
  const builtIn = await createBootstrapService(context).ensureAdminKey(undefined, undefined);
  const cursor = { name: "webhook:siem", seq: 1, attempts: 3, disabled: null, configuration: "" };
  const planned = { ...cursor, failingSince: clock.now(), dueAt: plus(clock.now(), dayMs) };
  await store.commit({ ...recordOnly([]), writes: [{ kind: "cursor", value: planned }] });

  const given = await givenAfter(context, to);
  expect(new Set(given.requests)).toEqual(new Set([open, late.id, waiting]));
  expect(given.keys.map(({ id }) => id)).toEqual([newKey.id]);
  const from = clock.now();
  await acceptClock(context, from, to);

  expect([await statusOf(before.id), await statusOf(asked)]).toEqual(["ACTIVE", "APPROVED"]);
  expect([await statusOf(late.id), await statusOf(open), await statusOf(waiting)]).toEqual([
    "REVOKED",
    "CANCELLED",
    "CANCELLED",
  ]);
  expect([await isActive(before.token), await isActive(late.token)]).toEqual([true, false]);
  expect(assertPresent(await store.key(oldKey.id), "key").value.deletedAt).toBeNull();
  expect(assertPresent(await store.key(newKey.id), "key").value.deletedAt).not.toBeNull();
  if (!("token" in builtIn)) throw new Error("a new installation has a new key");
  expect(await harness().services.apiKeys.authenticate(builtIn.token)).toMatchObject({ roles: ["admin"] });
  expect(await store.clockMark()).toBe(to);
  expect(await store.cursors()).toEqual([{ ...cursor, failingSince: to, dueAt: null }]);
  const last = (await harness().audit()).find(({ action }) => action === "clock.accepted");
  expect([last?.data["requests"], last?.data["keys"]]).toEqual([3, 1]);
});
