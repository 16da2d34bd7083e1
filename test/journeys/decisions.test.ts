import { describe, expect, test } from "vitest";
import { askedBelow, autoBelow, deniedBelow, noSweep, staff } from "../support/company-config.ts";
import { leavesNothingBehind } from "../support/leftover-processes.ts";
import { sharedProgram } from "../support/program.ts";

leavesNothingBehind();

const program = sharedProgram({
  config: {
    identities: staff,
    policies: [
      autoBelow("auto:", { maxDuration: "2h" }),
      deniedBelow("never:"),
      askedBelow("one:", { stages: [{ approvers: ["group:dba"] }] }, { maxDuration: "2h" }),
      askedBelow("two:", { stages: [{ approvers: ["group:dba"], required: 2 }] }),
      askedBelow("stages:", {
        stages: [{ approvers: ["manager"] }, { approvers: ["group:security"] }],
      }),
    ],
  },
  env: noSweep,
});

describe("several people", () => {
  test("a quorum of two needs two different people, and never the requester", async () => {
    const { person } = program();
    const [bob, ann, cid] = [await person("bob"), await person("ann"), await person("cid")];
    const { id } = (await bob.ask({ scopes: ["write:two:orders"] })).body;
    expect((await bob.act(id, "approve")).body.code).toBe("self_approval");
    expect((await ann.act(id, "approve")).body).toMatchObject({
      status: "PENDING",
      approvals: [{ required: 2, given: 1 }],
    });
    expect((await ann.act(id, "approve")).body.code).toBe("already_voted");
    expect((await cid.act(id, "approve")).body).toMatchObject({
      status: "APPROVED",
      approvals: [{ required: 2, given: 2 }],
    });
  });

  test("of two simultaneous last approvals one completes it, and the other learns who did", async () => {
    const { audit, person } = program();
    const dev = await person("dev");
    const dbas = await Promise.all(["ann", "bob", "cid"].map((name) => person(name)));
    const { id } = (await dev.ask({ scopes: ["read:one:race"] })).body;
    const answers = await Promise.all(dbas.map((one) => one.act(id, "approve")));
    expect(answers.map(({ http }) => http).toSorted()).toEqual([200, 409, 409]);
    const late = answers.filter(({ http }) => http === 409).map(({ body }) => body);
    for (const body of late) expect(body).toMatchObject({ code: "already_decided" });
    expect(late[0]?.detail).toMatch(/approved by (Ann|Bob|Cid)/);
    expect((await audit(id)).filter(({ action }) => action === "request.approved")).toHaveLength(1);
  });

  test("of simultaneous claims one gets the token", async () => {
    const { person } = program();
    const [dev, ann] = [await person("dev"), await person("ann")];
    const { id } = (await dev.ask({ scopes: ["read:one:claims"] })).body;
    await ann.act(id, "approve");
    const claims = await Promise.all(Array.from({ length: 8 }, () => dev.act(id, "claim")));
    expect(claims.map(({ http }) => http).toSorted()).toEqual([200, 409, 409, 409, 409, 409, 409, 409]);
    expect(claims.filter(({ text }) => text.includes("kd_jit_"))).toHaveLength(1);
  });

  test("stages are decided in their order, each by its own people", async () => {
    const { person } = program();
    const [dev, lead, sec] = [await person("dev"), await person("lead"), await person("sec")];
    const { id } = (await dev.ask({ scopes: ["read:stages:a"] })).body;
    expect((await sec.act(id, "approve")).body.code).toBe("stage_not_open");
    expect((await lead.act(id, "approve")).body.status).toBe("PENDING");
    expect((await sec.act(id, "approve")).body.status).toBe("APPROVED");
  });

  test("one denial ends it, also by an approver of a later stage", async () => {
    const { person } = program();
    const [dev, lead, sam] = [await person("dev"), await person("lead"), await person("sam")];
    const { id } = (await dev.ask({ scopes: ["read:stages:b"] })).body;
    await lead.act(id, "approve");
    const denied = await sam.act(id, "deny", { reason: "not during the audit" });
    expect(denied.body).toMatchObject({ status: "DENIED", endReason: "not during the audit" });
    expect((await lead.act(id, "approve")).body.detail).toMatch(/denied by Sam/);
    expect((await dev.act(id, "claim")).body.code).toBe("not_claimable");
  });

  test("an approver may give less than was asked, and not more", async () => {
    const { person } = program();
    const [dev, ann] = [await person("dev"), await person("ann")];
    const { id } = (await dev.ask({ scopes: ["read:one:shorter"], duration: "2h" })).body;
    expect((await ann.act(id, "approve", { duration: "3h" })).body.code).toBe("invalid_duration");
    expect((await ann.act(id, "approve", { duration: "30m" })).body).toMatchObject({ status: "APPROVED" });
    const { expiresAt, startedAt } = (await dev.act(id, "claim")).body;
    expect(Date.parse(expiresAt) - Date.parse(startedAt)).toBe(30 * 60_000);
  });
});

describe("refusals", () => {
  test("a deny policy, a too long duration and a missing policy have their own codes", async () => {
    const { audit, person } = program();
    // A person with few refusals, so that each is recorded instead of counted.
    const dev = await person("eve");
    const never = await dev.ask({ scopes: ["read:never:a"] });
    expect([never.http, never.body.code]).toEqual([403, "policy_denied"]);
    expect(never.headers.get("content-type")).toMatch(/^application\/problem\+json/);
    expect((await dev.ask({ scopes: ["read:ungoverned"] })).body.code).toBe("policy_denied");
    const long = await dev.ask({ scopes: ["read:auto:long"], duration: "3h" });
    expect(long.body.code).toBe("duration_exceeds_policy");
    const refused = (await audit()).filter(({ action }) => action === "request.refused");
    expect(refused.filter(({ actor }) => actor.id === dev.id)).toHaveLength(3);
  });
});

describe("ending early", () => {
  test("an approver or an administrator revokes, others cannot, and the token stops working immediately", async () => {
    const { admin, check, person } = program();
    const [dev, ann, lead] = [await person("dev"), await person("ann"), await person("lead")];
    for (const revoker of [ann, admin]) {
      const { id } = (await dev.ask({ scopes: ["read:one:revoked"] })).body;
      await ann.act(id, "approve");
      const { token } = (await dev.act(id, "claim")).body.credential;
      expect((await check(token, "read:one:revoked")).http).toBe(200);
      expect((await lead.act(id, "revoke", { reason: "no" })).http).toBe(403);
      expect((await revoker.act(id, "revoke", { reason: "incident over" })).body).toMatchObject({
        status: "REVOKED",
        endReason: "incident over",
      });
      expect((await check(token, "read:one:revoked")).http).toBe(401);
    }
  });

  test("approved access is revoked before its claim, and cannot be claimed any more", async () => {
    const { person } = program();
    const [dev, ann] = [await person("dev"), await person("ann")];
    const { id } = (await dev.ask({ scopes: ["read:one:unclaimed"] })).body;
    await ann.act(id, "approve");
    expect((await ann.act(id, "revoke", { reason: "changed my mind" })).body.status).toBe("REVOKED");
    expect((await dev.act(id, "claim")).body.code).toBe("not_claimable");
  });

  test("a leaked token is reported by anybody, without a key, and its access ends", async () => {
    const { call, check, person } = program();
    const dev = await person("dev");
    const { id, credential } = (await dev.ask({ scopes: ["read:auto:leaked"] })).body;
    for (const token of [credential.token, credential.token, "nonsense"]) {
      const reported = await call("POST", "/api/v1/credentials/revoke", { form: { token } });
      expect(reported.http).toBe(200);
    }
    expect((await check(credential.token, "read:auto:leaked")).http).toBe(401);
    expect((await dev.read(id)).body.status).toBe("REVOKED");
  });
});

describe("more time", () => {
  test("an approved extension moves the end; the token stays", async () => {
    const { check, person } = program();
    const [dev, ann] = [await person("dev"), await person("ann")];
    const { id } = (await dev.ask({ scopes: ["read:one:longer"] })).body;
    await ann.act(id, "approve");
    const parent = (await dev.act(id, "claim")).body;
    const asked = await dev.act(id, "extend", { duration: "30m", reason: "not done" });
    expect(asked.http).toBe(201);
    expect(asked.body).toMatchObject({ status: "PENDING", extends: id });
    expect(Date.parse(asked.body.approvalDeadline)).toBeLessThanOrEqual(Date.parse(parent.expiresAt));
    expect((await dev.act(id, "extend", { duration: "5m", reason: "twice" })).body).toMatchObject({
      code: "duplicate_request",
      existing: asked.body.id,
    });
    expect((await dev.read(id)).body.expiresAt).toBe(parent.expiresAt);

    const approved = await ann.act(asked.body.id, "approve");
    expect(approved.body.status).toBe("COMPLETED");
    expect(approved.text).not.toContain("kd_jit_");
    const moved = (await dev.read(id)).body;
    expect(Date.parse(moved.expiresAt) - Date.parse(parent.expiresAt)).toBe(30 * 60_000);
    expect(moved.status).toBe("ACTIVE");
    expect((await check(parent.credential.token, "read:one:longer")).http).toBe(200);
    const tooLong = await dev.act(id, "extend", { duration: "1h", reason: "more" });
    expect(tooLong.body.code).toBe("duration_exceeds_policy");
  });

  test("an auto-approved extension applies at once; an ended grant cancels its pending extension", async () => {
    const { person } = program();
    const [dev, ann] = [await person("dev"), await person("ann")];
    const auto = (await dev.ask({ scopes: ["read:auto:longer"] })).body;
    const extended = await dev.act(auto.id, "extend", { duration: "1h", reason: "more" });
    expect([extended.http, extended.body.status]).toEqual([201, "COMPLETED"]);
    const expiresAt = Date.parse((await dev.read(auto.id)).body.expiresAt);
    expect(expiresAt - Date.parse(auto.expiresAt)).toBe(3_600_000);

    const { id } = (await dev.ask({ scopes: ["read:one:parent"] })).body;
    await ann.act(id, "approve");
    await dev.act(id, "claim");
    const child = (await dev.act(id, "extend", { duration: "5m", reason: "more" })).body;
    await dev.act(id, "complete");
    expect((await dev.read(child.id)).body.status).toBe("CANCELLED");
  });
});
