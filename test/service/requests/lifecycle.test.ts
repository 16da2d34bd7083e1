import { describe, expect, test } from "vitest";
import { hourMs, minuteMs, dayMs } from "../../../src/core/values/time.ts";
import { approvalPolicy, stageBy } from "../../core/support/policies.ts";
import { unwrap, serviceHarnessForEach, refusalOrStatus } from "../support/service-harness.ts";

const { harness, requestCommands, approved, claimed, isActive } = serviceHarnessForEach(() => [
  approvalPolicy("dba", { stages: [stageBy("group:dba")] }),
]);

describe("the main job", () => {
  test("request, approve, claim, use, complete: the credential is valid from the claim to the end and no longer", async () => {
    const { request } = unwrap(await harness().ask("dev"));
    expect(request).toMatchObject({
      status: "PENDING",
      expiresAt: null,
      approvals: [{ stage: 1, required: 1, given: 0 }],
    });
    expect(request.approvers.map((one) => one.email)).toEqual([
      "ann@company.com",
      "bob@company.com",
      "cid@company.com",
    ]);
    harness().clock.pass(hourMs);
    const yes = unwrap(
      await requestCommands().approve(await harness().caller("ann"), request.id, { comment: "ok" }),
    );
    expect(yes.request).toMatchObject({
      status: "APPROVED",
      startedAt: null,
      expiresAt: null,
      grantedDuration: "4h",
    });
    harness().clock.pass(hourMs);
    const { credential, request: active } = unwrap(
      await requestCommands().claim(await harness().caller("dev"), request.id),
    );
    expect(active.status).toBe("ACTIVE");
    expect(Date.parse(String(active.expiresAt)) - harness().clock.now()).toBe(4 * hourMs);
    const token = credential?.token ?? "";
    expect(token).toMatch(/^kd_jit_[0-9A-Za-z]{36}$/);
    expect(await harness().services.tokenChecks.check(token, ["read:prod:orders-db"])).toMatchObject({
      allowed: true,
    });
    expect(await harness().services.tokenChecks.check(token, ["write:prod:orders-db"])).toEqual({
      allowed: false,
      known: true,
    });
    unwrap(await requestCommands().complete(await harness().caller("dev"), request.id));
    expect(await isActive(token)).toBe(false);
    expect((await harness().audit()).map((one) => one.action)).toEqual(
      expect.arrayContaining([
        "request.submitted",
        "approval.given",
        "request.approved",
        "grant.started",
        "credential.issued",
        "credential.used",
        "grant.completed",
      ]),
    );
  });

  test("at expiresAt the credential stops working before any sweep runs, and the status is EXPIRED", async () => {
    const { id, token } = await claimed();
    harness().clock.pass(4 * hourMs - 1);
    expect(await isActive(token)).toBe(true);
    harness().clock.pass(1);
    expect(await isActive(token)).toBe(false);
    expect(await harness().services.requestQueries.read(await harness().caller("dev"), id)).toMatchObject({
      status: "EXPIRED",
    });
    const listed = await harness().services.requestQueries.list(
      await harness().caller("dev"),
      { status: "EXPIRED" },
      { limit: 5 },
    );
    expect(listed).toMatchObject({ rows: [{ id }], next: null });
  });

  test("rotation ends the old token immediately", async () => {
    const { id, token } = await claimed();
    const { credential } = unwrap(await requestCommands().rotate(await harness().caller("dev"), id));
    expect(await isActive(token)).toBe(false);
    expect(await isActive(credential?.token ?? "")).toBe(true);
  });

  test("the token completes its own access and no other", async () => {
    const one = await claimed();
    const other = await claimed({ scopes: ["read:prod:other-db"] });
    expect(refusalOrStatus(await requestCommands().completeByToken(one.token, other.id))).toBe(
      "not_requester",
    );
    expect(refusalOrStatus(await requestCommands().completeByToken(one.token, one.id))).toBe("COMPLETED");
    expect(refusalOrStatus(await requestCommands().completeByToken(one.token, one.id))).toBe(
      "unauthenticated",
    );
  });

  test("ended access reports its end, and no former action", async () => {
    const { id } = await claimed();
    const dev = await harness().caller("dev");
    harness().clock.pass(5 * hourMs);
    expect(await requestCommands().claim(dev, id)).toMatchObject({
      refused: "already_claimed",
      detail: "This was claimed, and the access is over; ask again.",
    });
    expect(await requestCommands().cancel(dev, id)).toMatchObject({
      refused: "already_claimed",
      detail: "The access has started and is over; there is nothing to cancel.",
    });
  });

  test("a reported token is ended, and so is one pasted into a reason, which is masked", async () => {
    const one = await claimed();
    await harness().services.tokenChecks.report(one.token);
    expect(await isActive(one.token)).toBe(false);
    const other = await claimed({ scopes: ["read:prod:other-db"] });
    const pasted = unwrap(
      await harness().ask("dev", { reason: `see ${other.token}`, scopes: ["read:prod:third-db"] }),
    );
    expect(pasted.request.reason).toBe(`see kd_jit_…${other.token.slice(-4)}`);
    expect(await isActive(other.token)).toBe(false);
  });

  test("a token pasted into an administrator's reason or another token's note is ended as well", async () => {
    const { lockdown, massRevocation } = harness().services;
    const cto = await harness().caller("cto", "admin");
    const places: Record<string, (token: string) => Promise<unknown>> = {
      lockdown: async (token) => lockdown.change(cto, false, `see ${token}`),
      "revoke-all": async (token) => massRevocation.revokeAll(cto, { scopePrefix: "none:" }, token),
      complete: async (token) => {
        const own = await claimed({ scopes: ["read:prod:own"] });
        return requestCommands().completeByToken(own.token, own.id, `and ${token}`);
      },
    };
    for (const [place, paste] of Object.entries(places)) {
      const { token } = await claimed({ scopes: [`read:prod:${place}`] });
      await paste(token);
      expect([place, await isActive(token)]).toEqual([place, false]);
    }
  });
});

describe("the clock alone", () => {
  test("ticks record expiry, time-outs and overdue reviews once, with the exact instant", async () => {
    const { id } = await claimed();
    harness().clock.pass(5 * hourMs);
    expect(await harness().services.grants.tick(id)).toBe(true);
    expect(await harness().services.grants.tick(id)).toBe(false);
    const view = await harness().services.requestQueries.read(await harness().caller("dev"), id);
    expect(view).toMatchObject({ status: "EXPIRED" });
    expect("endedAt" in view ? Date.parse(String(view.endedAt)) : 0).toBe(harness().clock.now() - hourMs);
  });

  test("the end of the claim window ends an unused approval", async () => {
    const id = await approved();
    harness().clock.pass(8 * hourMs);
    expect(refusalOrStatus(await requestCommands().claim(await harness().caller("dev"), id))).toBe(
      "not_claimable",
    );
    expect(await harness().store.dueRequests(harness().clock.now(), 10)).toEqual([id]);
  });
});

describe("reading", () => {
  test("uninvolved people find nothing; approvers, subjects and auditors do", async () => {
    const { request } = unwrap(await harness().ask("dev"));
    const read = async (name: string, ...roles: ("auditor" | "admin")[]) =>
      harness().services.requestQueries.read(await harness().caller(name, ...roles), request.id);
    expect(await read("cto")).toMatchObject({ refused: "not_found" });
    expect(await read("ann")).toMatchObject({ id: request.id });
    expect(await read("dev")).toMatchObject({ id: request.id });
    expect(await read("cto", "auditor")).toMatchObject({ id: request.id });
  });
});

test("refusals are recorded singly up to ten a minute per actor, then counted", async () => {
  const { request } = unwrap(await harness().ask("dev"));
  const cto = await harness().caller("cto");
  for (let press = 0; press < 25; press++) await requestCommands().approve(cto, request.id, {});
  harness().clock.pass(minuteMs);
  await harness().services.refusals.flush(harness().clock.now());
  const refused = (await harness().audit()).filter((one) => one.action === "decision.refused");
  expect(refused).toHaveLength(11);
  expect(refused.at(-1)?.data).toMatchObject({ count: 15 });
});

test("the whole audit chain verifies", async () => {
  await claimed();
  harness().clock.pass(dayMs);
  await requestCommands().approve(await harness().caller("cto"), "jit_nothing", {});
  expect(await harness().store.verifyAudit()).toMatchObject({ ok: true });
  expect(await harness().store.unrecorded(20)).toEqual([]);
});
