import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { hourMs, minuteMs, secondMs } from "../../../src/core/values/time.ts";
import { down, refusing } from "../../fakes/fake-target.ts";
import { unwrap, refusalOrStatus } from "../support/service-harness.ts";
import { openTargetHarness, statesOf, view, type TargetHarness } from "../support/target-harness.ts";

let harness: TargetHarness;
beforeEach(async () => {
  harness = await openTargetHarness();
});
afterEach(() => harness.close());

const objects = () => harness.target.state().objects;
const actions = async () => (await harness.audit()).map((one) => one.action);
const isActive = async (token: string) => (await harness.services.tokenChecks.introspect(token)).active;

describe("a claim with targets", () => {
  test("shows the token and each target's secret once, and the target has the exact end", async () => {
    const { id, object, secret, token } = await harness.holding();
    expect(harness.target.opens(object, secret)).toBe(true);
    const seen = await view(harness, id);
    expect(seen).toMatchObject({
      status: "ACTIVE",
      grant: { targets: [{ connector: "orders-db", object, state: "PROVISIONED", clearedAt: null }] },
    });
    expect(objects()[object]?.notAfter).toBe(Date.parse(String(seen.expiresAt)));
    expect(await isActive(token)).toBe(true);
    expect(await actions()).toEqual(
      expect.arrayContaining(["grant.prepared", "target.provisioned", "grant.started", "credential.issued"]),
    );
  });

  test("is recorded before anything is created, and asks the target for no more than was granted", async () => {
    let found: unknown;
    harness.target.trouble.latencyMs = 30;
    const id = await harness.approved();
    const claiming = harness.claim(id);
    while (harness.target.calls.length === 0) await new Promise((passed) => setTimeout(passed, 5));
    found = await view(harness, id);
    expect(found).toMatchObject({
      status: "APPROVED",
      startedAt: null,
      expiresAt: null,
      grant: { startedAt: null },
    });
    expect(Object.keys(objects())).toEqual([]);
    unwrap(await claiming);
  });

  test("a scope without a connector still gets the token", async () => {
    const id = await harness.approved({ scopes: ["read:elsewhere"] });
    const { request, credential } = unwrap(await harness.claim(id));
    expect(request).toMatchObject({ status: "ACTIVE", grant: { targets: [] } });
    expect(credential?.targets).toEqual([]);
    expect(harness.target.calls).toEqual([]);
  });

  test("answers after two seconds that it is not ready, and succeeds when claimed again", async () => {
    harness.target.trouble.latencyMs = 2_400;
    const id = await harness.approved();
    const first = unwrap(await harness.claim(id));
    expect(objects()).toEqual({});
    expect(first).toMatchObject({ isPreparing: true, request: { status: "APPROVED", expiresAt: null } });
    expect(first.credential).toBeUndefined();
    harness.target.trouble.latencyMs = 0;
    await expect.poll(() => statesOf(harness, id)).toEqual(["PROVISIONED"]);
    const again = unwrap(await harness.claim(id));
    expect(again.request.status).toBe("ACTIVE");
    expect(harness.target.state().history).toHaveLength(1);
  });

  test("auto-approved with a slow target: approved, to be claimed", async () => {
    harness.target.trouble.isDown = true;
    const asked = unwrap(await harness.ask("dev", { scopes: ["auto:prod:orders-db"] }));
    expect(asked).toMatchObject({ isPreparing: true, request: { status: "APPROVED" } });
    harness.target.trouble.isDown = false;
    harness.clock.pass(5 * secondMs);
    await harness.tick();
    expect(refusalOrStatus(await harness.claim(asked.request.id))).toBe("ACTIVE");
  });

  test("of simultaneous claims one succeeds, and its secret is valid", async () => {
    const id = await harness.approved();
    const answers = await Promise.all([1, 2, 3, 4].map(() => harness.claim(id)));
    expect(answers.map(refusalOrStatus).toSorted()).toEqual([
      "ACTIVE",
      ...Array.from({ length: 3 }, () => "already_claimed"),
    ]);
    const [given] = answers.flatMap((one) => ("credential" in one ? [one.credential] : []));
    const [at] = given?.targets ?? [];
    expect(harness.target.opens(String(at?.username), at?.secret ?? null)).toBe(true);
  });

  test("unclaimed for ten minutes, it is taken back and can be claimed again under another name", async () => {
    harness.target.trouble.isDown = true;
    const id = await harness.approved();
    unwrap(await harness.claim(id));
    harness.target.trouble.isDown = false;
    await harness.live(10 * secondMs);
    const [first] = Object.keys(objects());
    expect(first).toBeDefined();
    await harness.live(10 * minuteMs);
    expect(objects()).toEqual({});
    expect(await view(harness, id)).toMatchObject({
      status: "APPROVED",
      grant: { targets: [{ state: "REVOKED" }] },
    });
    const { request } = unwrap(await harness.claim(id));
    expect(request.status).toBe("ACTIVE");
    expect(Object.keys(objects())).not.toContain(first);
    expect(await actions()).toContain("grant.abandoned");
  }, 30_000);

  test.each(["cancel", "revoke", "deactivate"] as const)(
    "%s while it is prepared takes it back",
    async (verb) => {
      harness.target.trouble.isDown = true;
      const id = await harness.approved();
      unwrap(await harness.claim(id));
      harness.target.trouble.isDown = false;
      await harness.live(10 * secondMs);
      expect(Object.keys(objects())).toHaveLength(1);
      const { requestCommands, directory } = harness.services;
      if (verb === "cancel") unwrap(await requestCommands.cancel(await harness.caller("dev"), id));
      if (verb === "revoke") unwrap(await requestCommands.revoke(await harness.caller("ann"), id, "no"));
      if (verb === "deactivate")
        await directory.change(await harness.caller("bot", "admin"), "id_dev", { active: false });
      await harness.live(10 * secondMs);
      expect(objects()).toEqual({});
      expect(refusalOrStatus(await harness.claim(id))).not.toBe("ACTIVE");
    },
  );

  test("a target that cannot provision fails the request, and the others' objects are taken back", async () => {
    const other = harness.add({ name: "cache", resources: "prod:orders" });
    harness.target.trouble.faults.provision = [refusing()];
    const id = await harness.approved();
    expect(await harness.claim(id)).toMatchObject({
      refused: "not_claimable",
      detail: expect.stringContaining("orders-db"),
    });
    await harness.tick();
    const seen = await view(harness, id);
    expect(seen).toMatchObject({ status: "FAILED", startedAt: null });
    expect(seen.grant?.targets.map((one) => [one.connector, one.state])).toEqual([
      ["orders-db", "FAILED"],
      ["cache", "REVOKED"],
    ]);
    expect(other.state().objects).toEqual({});
    const failed = (await harness.audit()).find((one) => one.action === "grant.failed");
    expect(failed?.data).toMatchObject({ connector: "orders-db" });
    expect(await harness.store.connectorsInUse()).toEqual([]);
  });

  test("a target that is never ready fails the request after five minutes", async () => {
    harness.target.trouble.isDown = true;
    const id = await harness.approved();
    unwrap(await harness.claim(id));
    await harness.live(5 * minuteMs + 10 * secondMs);
    expect(await view(harness, id)).toMatchObject({
      status: "FAILED",
      grant: { targets: [{ state: "FAILED" }] },
    });
  });

  test("a final fault when issuing fails the request, a temporary one lets it be claimed again", async () => {
    harness.target.trouble.faults.issue = [down()];
    const id = await harness.approved();
    expect(unwrap(await harness.claim(id))).toMatchObject({ isPreparing: true });
    expect(refusalOrStatus(await harness.claim(id))).toBe("ACTIVE");
    harness.target.trouble.faults.issue = [refusing()];
    const next = await harness.approved({ scopes: ["read:prod:other-db"] });
    expect(refusalOrStatus(await harness.claim(next))).toBe("not_claimable");
    await harness.tick();
    expect(await view(harness, next)).toMatchObject({ status: "FAILED" });
    expect(Object.keys(objects())).toHaveLength(1);
  });
});

describe("the end of access", () => {
  const endings = {
    expire: async () => {
      harness.clock.pass(4 * hourMs);
    },
    complete: async (id: string) =>
      unwrap(await harness.services.requestCommands.complete(await harness.caller("dev"), id)),
    revoke: async (id: string) =>
      unwrap(await harness.services.requestCommands.revoke(await harness.caller("ann"), id, "no")),
    leak: async (_: string, token: string) => harness.services.tokenChecks.report(token),
    deactivate: async () =>
      harness.services.directory.change(await harness.caller("bot", "admin"), "id_dev", { active: false }),
  };

  test.each(Object.entries(endings))(
    "%s: inactive at once, gone at the target, on record",
    async (_, end) => {
      const { id, token, object } = await harness.holding();
      await end(id, token);
      expect(await isActive(token)).toBe(false);
      await harness.tick();
      await harness.tick();
      expect(objects()[object]).toBeUndefined();
      expect(await statesOf(harness, id)).toEqual(["REVOKED"]);
      expect(await actions()).toContain("target.revoked");
      expect(await harness.store.takeBacks()).toEqual({ waiting: 0, overdue: 0, oldestOverdueSince: null });
    },
  );

  test("overlapping grants do not touch each other", async () => {
    const one = await harness.holding();
    const other = await harness.holding({ scopes: ["read:prod:orders-db", "write:prod:orders-db"] });
    await endings.complete(one.id);
    await harness.tick();
    expect(Object.keys(objects())).toEqual([other.object]);
    expect(harness.target.opens(other.object, other.secret)).toBe(true);
  });

  test("a down target is overdue after a minute, alerts once, and is cleared within a minute of its return", async () => {
    const { id, token, object } = await harness.holding();
    harness.target.trouble.isDown = true;
    await endings.complete(id);
    await harness.live(55 * secondMs);
    expect(await statesOf(harness, id)).toEqual(["REVOKING"]);
    await harness.live(10 * secondMs);
    expect(await statesOf(harness, id)).toEqual(["REVOKE_OVERDUE"]);
    await harness.live(3 * hourMs);
    expect(await isActive(token)).toBe(false);
    expect(harness.alerts).toHaveLength(1);
    const { overdue, oldestOverdueSince } = await harness.store.takeBacks();
    expect(overdue).toBe(1);
    expect(harness.clock.now() - Number(oldestOverdueSince)).toBeGreaterThan(3 * hourMs);
    expect((await actions()).filter((one) => one === "target.revoke_overdue")).toHaveLength(1);
    harness.target.trouble.isDown = false;
    await harness.live(60 * secondMs);
    expect(objects()[object]).toBeUndefined();
    expect(await statesOf(harness, id)).toEqual(["REVOKED"]);
  }, 60_000);

  test("a hanging target that ignores its abort does not delay another target", async () => {
    const other = harness.add({ name: "cache", resources: "cache:" });
    const one = await harness.holding();
    const two = await harness.holding({ scopes: ["read:cache:a"] });
    harness.target.trouble.latencyMs = 60_000;
    harness.target.trouble.ignoresAbort = true;
    await endings.complete(two.id);
    harness.clock.pass(20 * secondMs);
    await Promise.race([harness.sweepOrphans(), new Promise((passed) => setTimeout(passed, 500))]);
    expect(other.state().objects).toEqual({});
    expect(Object.keys(objects())).toEqual([one.object]);
    harness.target.trouble.ignoresAbort = false;
  });
});
