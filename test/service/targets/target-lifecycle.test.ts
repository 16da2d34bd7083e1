import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { hourMs, minuteMs, secondMs } from "../../../src/core/values/time.ts";
import { down, refusing } from "../../fakes/fake-target.ts";
import { granted, saidTo } from "../support/service-harness.ts";
import { openTargetOffice, statesOf, view, type TargetOffice } from "../support/target-harness.ts";

let office: TargetOffice;
beforeEach(async () => {
  office = await openTargetOffice();
});
afterEach(() => office.close());

const objects = () => office.target.state().objects;
const actions = async () => (await office.audit()).map((one) => one.action);
const isActive = async (token: string) => (await office.services.checking.introspect(token)).active;

describe("a claim with targets", () => {
  test("gives the token and each target's secret once, and the target has the exact end", async () => {
    const { id, object, secret, token } = await office.holding();
    expect(office.target.opens(object, secret)).toBe(true);
    const seen = await view(office, id);
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

  test("is written down before anything is made there, and asks the target for no more than was granted", async () => {
    let found: unknown;
    office.target.trouble.latencyMs = 30;
    const id = await office.approved();
    const claiming = office.claim(id);
    while (office.target.calls.length === 0) await new Promise((passed) => setTimeout(passed, 5));
    found = await view(office, id);
    expect(found).toMatchObject({
      status: "APPROVED",
      startedAt: null,
      expiresAt: null,
      grant: { startedAt: null },
    });
    expect(Object.keys(objects())).toEqual([]);
    granted(await claiming);
  });

  test("a scope without a connector still gives the token", async () => {
    const id = await office.approved({ scopes: ["read:elsewhere"] });
    const { request, credential } = granted(await office.claim(id));
    expect(request).toMatchObject({ status: "ACTIVE", grant: { targets: [] } });
    expect(credential?.targets).toEqual([]);
    expect(office.target.calls).toEqual([]);
  });

  test("not ready in two seconds, it says so and keeps nothing open; claimed again it is given", async () => {
    office.target.trouble.latencyMs = 2_400;
    const id = await office.approved();
    const first = granted(await office.claim(id));
    expect(objects()).toEqual({});
    expect(first).toMatchObject({ isPreparing: true, request: { status: "APPROVED", expiresAt: null } });
    expect(first.credential).toBeUndefined();
    office.target.trouble.latencyMs = 0;
    await expect.poll(() => statesOf(office, id)).toEqual(["PROVISIONED"]);
    const again = granted(await office.claim(id));
    expect(again.request.status).toBe("ACTIVE");
    expect(office.target.state().history).toHaveLength(1);
  });

  test("approved by itself and slow: approved, to be claimed", async () => {
    office.target.trouble.isDown = true;
    const asked = granted(await office.ask("dev", { scopes: ["auto:prod:orders-db"] }));
    expect(asked).toMatchObject({ isPreparing: true, request: { status: "APPROVED" } });
    office.target.trouble.isDown = false;
    office.clock.pass(5 * secondMs);
    await office.tick();
    expect(saidTo(await office.claim(asked.request.id))).toBe("ACTIVE");
  });

  test("of simultaneous claims one is given, and its secret is the one that opens", async () => {
    const id = await office.approved();
    const answers = await Promise.all([1, 2, 3, 4].map(() => office.claim(id)));
    expect(answers.map(saidTo).toSorted()).toEqual([
      "ACTIVE",
      ...Array.from({ length: 3 }, () => "already_claimed"),
    ]);
    const [given] = answers.flatMap((one) => ("credential" in one ? [one.credential] : []));
    const [at] = given?.targets ?? [];
    expect(office.target.opens(String(at?.username), at?.secret ?? null)).toBe(true);
  });

  test("not fetched within ten minutes it is taken back, and can be claimed anew under another name", async () => {
    office.target.trouble.isDown = true;
    const id = await office.approved();
    granted(await office.claim(id));
    office.target.trouble.isDown = false;
    await office.live(10 * secondMs);
    const [first] = Object.keys(objects());
    expect(first).toBeDefined();
    await office.live(10 * minuteMs);
    expect(objects()).toEqual({});
    expect(await view(office, id)).toMatchObject({
      status: "APPROVED",
      grant: { targets: [{ state: "REVOKED" }] },
    });
    const { request } = granted(await office.claim(id));
    expect(request.status).toBe("ACTIVE");
    expect(Object.keys(objects())).not.toContain(first);
    expect(await actions()).toContain("grant.abandoned");
  }, 30_000);

  test.each(["cancel", "revoke", "deactivate"] as const)(
    "%s while it is prepared takes it back",
    async (verb) => {
      office.target.trouble.isDown = true;
      const id = await office.approved();
      granted(await office.claim(id));
      office.target.trouble.isDown = false;
      await office.live(10 * secondMs);
      expect(Object.keys(objects())).toHaveLength(1);
      const { desk, directory } = office.services;
      if (verb === "cancel") granted(await desk.cancel(await office.caller("dev"), id));
      if (verb === "revoke") granted(await desk.revoke(await office.caller("ann"), id, "no"));
      if (verb === "deactivate")
        await directory.change(await office.caller("bot", "admin"), "id_dev", { active: false });
      await office.live(10 * secondMs);
      expect(objects()).toEqual({});
      expect(saidTo(await office.claim(id))).not.toBe("ACTIVE");
    },
  );

  test("one that cannot fails the request, and what the others made is taken back", async () => {
    const other = office.add({ name: "cache", resources: "prod:orders" });
    office.target.trouble.faults.provision = [refusing()];
    const id = await office.approved();
    expect(await office.claim(id)).toMatchObject({
      refused: "not_claimable",
      detail: expect.stringContaining("orders-db"),
    });
    await office.tick();
    const seen = await view(office, id);
    expect(seen).toMatchObject({ status: "FAILED", startedAt: null });
    expect(seen.grant?.targets.map((one) => [one.connector, one.state])).toEqual([
      ["orders-db", "FAILED"],
      ["cache", "REVOKED"],
    ]);
    expect(other.state().objects).toEqual({});
    const failed = (await office.audit()).find((one) => one.action === "grant.failed");
    expect(failed?.data).toMatchObject({ connector: "orders-db" });
    expect(await office.store.connectorsInUse()).toEqual([]);
  });

  test("one that is never ready fails the request after five minutes", async () => {
    office.target.trouble.isDown = true;
    const id = await office.approved();
    granted(await office.claim(id));
    await office.live(5 * minuteMs + 10 * secondMs);
    expect(await view(office, id)).toMatchObject({
      status: "FAILED",
      grant: { targets: [{ state: "FAILED" }] },
    });
  });

  test("one that cannot mint fails it, one that cannot just now lets it be claimed again", async () => {
    office.target.trouble.faults.issue = [down()];
    const id = await office.approved();
    expect(granted(await office.claim(id))).toMatchObject({ isPreparing: true });
    expect(saidTo(await office.claim(id))).toBe("ACTIVE");
    office.target.trouble.faults.issue = [refusing()];
    const next = await office.approved({ scopes: ["read:prod:other-db"] });
    expect(saidTo(await office.claim(next))).toBe("not_claimable");
    await office.tick();
    expect(await view(office, next)).toMatchObject({ status: "FAILED" });
    expect(Object.keys(objects())).toHaveLength(1);
  });
});

describe("the end of access", () => {
  const endings = {
    expire: async () => {
      office.clock.pass(4 * hourMs);
    },
    complete: async (id: string) =>
      granted(await office.services.desk.complete(await office.caller("dev"), id)),
    revoke: async (id: string) =>
      granted(await office.services.desk.revoke(await office.caller("ann"), id, "no")),
    leak: async (_: string, token: string) => office.services.checking.report(token),
    deactivate: async () =>
      office.services.directory.change(await office.caller("bot", "admin"), "id_dev", { active: false }),
  };

  test.each(Object.entries(endings))(
    "%s: inactive at once, gone at the target, on record",
    async (_, end) => {
      const { id, token, object } = await office.holding();
      await end(id, token);
      expect(await isActive(token)).toBe(false);
      await office.tick();
      await office.tick();
      expect(objects()[object]).toBeUndefined();
      expect(await statesOf(office, id)).toEqual(["REVOKED"]);
      expect(await actions()).toContain("target.revoked");
      expect(await office.store.takeBacks()).toEqual({ waiting: 0, overdue: 0, oldestOverdueSince: null });
    },
  );

  test("overlapping grants do not touch each other", async () => {
    const one = await office.holding();
    const other = await office.holding({ scopes: ["read:prod:orders-db", "write:prod:orders-db"] });
    await endings.complete(one.id);
    await office.tick();
    expect(Object.keys(objects())).toEqual([other.object]);
    expect(office.target.opens(other.object, other.secret)).toBe(true);
  });

  test("a target that is down is overdue after a minute, once, and alerts; back again it is gone within a minute", async () => {
    const { id, token, object } = await office.holding();
    office.target.trouble.isDown = true;
    await endings.complete(id);
    await office.live(55 * secondMs);
    expect(await statesOf(office, id)).toEqual(["REVOKING"]);
    await office.live(10 * secondMs);
    expect(await statesOf(office, id)).toEqual(["REVOKE_OVERDUE"]);
    await office.live(3 * hourMs);
    expect(await isActive(token)).toBe(false);
    expect(office.alerts).toHaveLength(1);
    const { overdue, oldestOverdueSince } = await office.store.takeBacks();
    expect(overdue).toBe(1);
    expect(office.clock.now() - Number(oldestOverdueSince)).toBeGreaterThan(3 * hourMs);
    expect((await actions()).filter((one) => one === "target.revoke_overdue")).toHaveLength(1);
    office.target.trouble.isDown = false;
    await office.live(60 * secondMs);
    expect(objects()[object]).toBeUndefined();
    expect(await statesOf(office, id)).toEqual(["REVOKED"]);
  }, 60_000);

  test("one that hangs and takes no notice of being told to end does not stop another one", async () => {
    const other = office.add({ name: "cache", resources: "cache:" });
    const one = await office.holding();
    const two = await office.holding({ scopes: ["read:cache:a"] });
    office.target.trouble.latencyMs = 60_000;
    office.target.trouble.isDeaf = true;
    await endings.complete(two.id);
    office.clock.pass(20 * secondMs);
    await Promise.race([office.sweepOrphans(), new Promise((passed) => setTimeout(passed, 500))]);
    expect(other.state().objects).toEqual({});
    expect(Object.keys(objects())).toEqual([one.object]);
    office.target.trouble.isDeaf = false;
  });
});
