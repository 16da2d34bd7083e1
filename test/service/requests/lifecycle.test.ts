import { describe, expect, test } from "vitest";
import { hourMs, minuteMs, dayMs } from "../../../src/core/values/time.ts";
import { approvalPolicy, stageBy } from "../../core/support/policies.ts";
import { granted, officeForEach, saidTo } from "../support/service-harness.ts";

const { office, desk, approved, claimed, isActive } = officeForEach(() => [
  approvalPolicy("dba", { stages: [stageBy("group:dba")] }),
]);

describe("the main job", () => {
  test("ask, approve, claim, use, complete: the credential opens from the claim to the end and not a moment longer", async () => {
    const { request } = granted(await office().ask("dev"));
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
    office().clock.pass(hourMs);
    const yes = granted(await desk().approve(await office().caller("ann"), request.id, { comment: "ok" }));
    expect(yes.request).toMatchObject({
      status: "APPROVED",
      startedAt: null,
      expiresAt: null,
      grantedDuration: "4h",
    });
    office().clock.pass(hourMs);
    const { credential, request: active } = granted(
      await desk().claim(await office().caller("dev"), request.id),
    );
    expect(active.status).toBe("ACTIVE");
    expect(Date.parse(String(active.expiresAt)) - office().clock.now()).toBe(4 * hourMs);
    const token = credential?.token ?? "";
    expect(token).toMatch(/^kd_jit_[0-9A-Za-z]{36}$/);
    expect(await office().services.checking.check(token, ["read:prod:orders-db"])).toMatchObject({
      allowed: true,
    });
    expect(await office().services.checking.check(token, ["write:prod:orders-db"])).toEqual({
      allowed: false,
      known: true,
    });
    granted(await desk().complete(await office().caller("dev"), request.id));
    expect(await isActive(token)).toBe(false);
    expect((await office().audit()).map((one) => one.action)).toEqual(
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

  test("at expiresAt the credential is dead before any sweep has run, and reads EXPIRED", async () => {
    const { id, token } = await claimed();
    office().clock.pass(4 * hourMs - 1);
    expect(await isActive(token)).toBe(true);
    office().clock.pass(1);
    expect(await isActive(token)).toBe(false);
    expect(await office().services.reading.read(await office().caller("dev"), id)).toMatchObject({
      status: "EXPIRED",
    });
    const listed = await office().services.reading.list(
      await office().caller("dev"),
      { status: "EXPIRED" },
      { limit: 5 },
    );
    expect(listed).toMatchObject({ rows: [{ id }], next: null });
  });

  test("rotation kills the old token in the same moment", async () => {
    const { id, token } = await claimed();
    const { credential } = granted(await desk().rotate(await office().caller("dev"), id));
    expect(await isActive(token)).toBe(false);
    expect(await isActive(credential?.token ?? "")).toBe(true);
  });

  test("the token completes its own access and no other", async () => {
    const one = await claimed();
    const other = await claimed({ scopes: ["read:prod:other-db"] });
    expect(saidTo(await desk().completeByToken(one.token, other.id))).toBe("not_requester");
    expect(saidTo(await desk().completeByToken(one.token, one.id))).toBe("COMPLETED");
    expect(saidTo(await desk().completeByToken(one.token, one.id))).toBe("unauthenticated");
  });

  test("what is over says so, and no longer what could be done while it lasted", async () => {
    const { id } = await claimed();
    const dev = await office().caller("dev");
    office().clock.pass(5 * hourMs);
    expect(await desk().claim(dev, id)).toMatchObject({
      refused: "already_claimed",
      detail: "This was claimed, and the access is over; ask again.",
    });
    expect(await desk().cancel(dev, id)).toMatchObject({
      refused: "already_claimed",
      detail: "The access has started and is over; there is nothing to cancel.",
    });
  });

  test("a reported token is dead, and so is one pasted into a reason, which is masked", async () => {
    const one = await claimed();
    await office().services.checking.report(one.token);
    expect(await isActive(one.token)).toBe(false);
    const other = await claimed({ scopes: ["read:prod:other-db"] });
    const pasted = granted(
      await office().ask("dev", { reason: `see ${other.token}`, scopes: ["read:prod:third-db"] }),
    );
    expect(pasted.request.reason).toBe(`see kd_jit_…${other.token.slice(-4)}`);
    expect(await isActive(other.token)).toBe(false);
  });

  test("a token pasted into an administrator's reason, or into the note of another token, is dead as well", async () => {
    const { lockdown, massRevocation } = office().services;
    const cto = await office().caller("cto", "admin");
    const places: Record<string, (token: string) => Promise<unknown>> = {
      lockdown: async (token) => lockdown.change(cto, false, `see ${token}`),
      "revoke-all": async (token) => massRevocation.revokeAll(cto, { scopePrefix: "none:" }, token),
      complete: async (token) => {
        const own = await claimed({ scopes: ["read:prod:own"] });
        return desk().completeByToken(own.token, own.id, `and ${token}`);
      },
    };
    for (const [place, paste] of Object.entries(places)) {
      const { token } = await claimed({ scopes: [`read:prod:${place}`] });
      await paste(token);
      expect([place, await isActive(token)]).toEqual([place, false]);
    }
  });
});

describe("time alone", () => {
  test("ticks write expiry, time-outs and overdue reviews once, with the instant of the clock", async () => {
    const { id } = await claimed();
    office().clock.pass(5 * hourMs);
    expect(await office().services.grants.tick(id)).toBe(true);
    expect(await office().services.grants.tick(id)).toBe(false);
    const view = await office().services.reading.read(await office().caller("dev"), id);
    expect(view).toMatchObject({ status: "EXPIRED" });
    expect("endedAt" in view ? Date.parse(String(view.endedAt)) : 0).toBe(office().clock.now() - hourMs);
  });

  test("the end of the claim window ends an approval nobody used", async () => {
    const id = await approved();
    office().clock.pass(8 * hourMs);
    expect(saidTo(await desk().claim(await office().caller("dev"), id))).toBe("not_claimable");
    expect(await office().store.dueRequests(office().clock.now(), 10)).toEqual([id]);
  });
});

describe("reading", () => {
  test("strangers find nothing; approvers, subjects, auditors do", async () => {
    const { request } = granted(await office().ask("dev"));
    const read = async (name: string, ...roles: ("auditor" | "admin")[]) =>
      office().services.reading.read(await office().caller(name, ...roles), request.id);
    expect(await read("cto")).toMatchObject({ refused: "not_found" });
    expect(await read("ann")).toMatchObject({ id: request.id });
    expect(await read("dev")).toMatchObject({ id: request.id });
    expect(await read("cto", "auditor")).toMatchObject({ id: request.id });
  });
});

test("refusals are recorded one by one up to ten a minute per actor, then counted", async () => {
  const { request } = granted(await office().ask("dev"));
  const cto = await office().caller("cto");
  for (let press = 0; press < 25; press++) await desk().approve(cto, request.id, {});
  office().clock.pass(minuteMs);
  await office().services.refusals.flush(office().clock.now());
  const refused = (await office().audit()).filter((one) => one.action === "decision.refused");
  expect(refused).toHaveLength(11);
  expect(refused.at(-1)?.data).toMatchObject({ count: 15 });
});

test("the audit chain over all of it verifies", async () => {
  await claimed();
  office().clock.pass(dayMs);
  await desk().approve(await office().caller("cto"), "jit_nothing", {});
  expect(await office().store.verifyAudit()).toMatchObject({ ok: true });
  expect(await office().store.unrecorded(20)).toEqual([]);
});
