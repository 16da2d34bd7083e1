import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { api, jit } from "../support/api-client.ts";
import { leavesNothingBehind } from "../support/leftover-processes.ts";
import { sharedProgram } from "../support/program.ts";

leavesNothingBehind();

/** Without configuration, so the shipped example is used. */
const program = sharedProgram();

/** The documented example of `POST /credentials/jit`. */
const printedAsk = {
  identityId: "id_abc123",
  reason: "Emergency production database access",
  scopes: ["read:database", "write:database"],
  duration: "4h",
  notifyChannels: ["slack", "email"],
};

const time = expect.stringMatching(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/);
const token = expect.stringMatching(/^kd_jit_[0-9A-Za-z]{36}$/);

describe("on the shipped example configuration", () => {
  test("the documented example is requested, approved by security@company.com, claimed, used and completed", async () => {
    const { check, call, person } = program();
    const dev = await person("abc123", "requester");
    const security = await person("security", "approver");
    const proxy = await person("deploy", "resource");

    const asked = await dev.call("POST", jit, printedAsk);
    expect(asked.http).toBe(201);
    const { id } = asked.body;
    expect(asked.body).toMatchObject({
      id: expect.stringMatching(/^jit_/),
      status: "PENDING",
      requestedAt: time,
      expiresAt: null,
      approvers: [{ email: "security@company.com", status: "PENDING" }],
    });
    expect(asked.body.credential).toBeUndefined();
    expect((await dev.act(id, "claim")).body.code).toBe("not_claimable");

    const approved = await security.act(id, "approve", { comment: "seen the incident" });
    expect(approved.http).toBe(200);
    const stranger = await person("dba_one", "requester");
    expect((await stranger.act(id, "claim")).body.code).toBe("not_requester");
    expect(approved.body).toMatchObject({
      status: "APPROVED",
      expiresAt: null,
      approvers: [{ email: "security@company.com", status: "APPROVED", comment: "seen the incident" }],
    });

    const beforeClaim = Date.now();
    const claimed = await dev.act(id, "claim");
    expect(claimed.http).toBe(200);
    expect(claimed.body).toMatchObject({ status: "ACTIVE", expiresAt: time, credential: { token } });
    expect(claimed.headers.get("cache-control")).toBe("no-store");
    const lastsMs = Date.parse(claimed.body.expiresAt) - Date.parse(claimed.body.startedAt);
    expect(lastsMs).toBe(4 * 3_600_000);
    expect(Date.parse(claimed.body.startedAt)).toBeGreaterThanOrEqual(beforeClaim);
    const secret = claimed.body.credential.token;
    expect((await dev.act(id, "claim")).body.code).toBe("already_claimed");
    expect((await dev.read(id)).text).not.toContain(secret);

    const allowed = await check(secret, "read:database", "write:database");
    expect(allowed.http).toBe(200);
    expect(allowed.text).toBe("");
    expect(allowed.headers.get("x-jit-identity")).toBe("id_abc123");
    expect(allowed.headers.get("x-jit-scopes")).toBe("read:database write:database");
    expect(allowed.headers.get("x-jit-request")).toBe(id);
    expect((await check(secret, "read:database", "admin:database")).http).toBe(403);
    expect((await check(secret)).http).toBe(403);

    const introspected = await call("POST", `${api}/credentials/introspect`, {
      key: proxy.key,
      form: { token: secret },
    });
    expect(introspected.body).toMatchObject({
      active: true,
      scope: "read:database write:database",
      sub: "id_abc123",
      username: "dev@company.com",
      jti: id,
      break_glass: false,
    });

    const completed = await call("POST", `${jit}/${id}/complete`, { key: secret });
    expect(completed.http).toBe(200);
    expect(completed.body.status).toBe("COMPLETED");
    expect((await check(secret, "read:database")).http).toBe(401);
    const after = await call("POST", `${api}/credentials/introspect`, {
      key: proxy.key,
      form: { token: secret },
    });
    expect(after.text).toBe('{"active":false}');

    const actions = (await program().audit(id)).map(({ action }) => action);
    expect(actions.filter((action) => action !== "decision.refused")).toEqual([
      "request.submitted",
      "approval.given",
      "request.approved",
      "grant.started",
      "credential.issued",
      "credential.used",
      "grant.completed",
    ]);
  });

  test("the documented policy grants an hour in development at once, on first access", async () => {
    const { admin, check, person } = program();
    const policies = await admin.call("GET", `${api}/policies`);
    expect(policies.body.data).toContainEqual(
      expect.objectContaining({ name: "dev-environment-auto-approve", autoApprove: true, maxUsage: 100 }),
    );
    const dev = await person("abc123", "requester");
    const asked = await dev.ask({ scopes: ["read:dev:orders-db"], duration: "1h" });
    expect(asked.http).toBe(201);
    expect(asked.headers.get("cache-control")).toBe("no-store");
    expect(asked.body).toMatchObject({
      status: "ACTIVE",
      approvers: [],
      credential: { id: expect.stringMatching(/^cred_/), token, expiresAt: time, targets: [] },
    });
    const { credential, id } = asked.body;
    expect((await check(credential.token, "read:dev:orders-db")).http).toBe(200);

    const rotated = await dev.act(id, "rotate");
    expect((await check(credential.token, "read:dev:orders-db")).http).toBe(401);
    expect((await check(rotated.body.credential.token, "read:dev:orders-db")).http).toBe(200);
    expect((await dev.act(id, "complete")).body.status).toBe("COMPLETED");
    expect((await check(rotated.body.credential.token, "read:dev:orders-db")).http).toBe(401);
  });

  test("a request for somebody else is claimed by them, and only they get the token", async () => {
    const { admin, person } = program();
    const lead = await person("lead", "requester");
    const asked = await admin.ask({ identityId: "id_lead", scopes: ["read:dev:leads"], duration: "30m" });
    expect(asked.body).toMatchObject({ status: "APPROVED", requestedBy: "id_admin", expiresAt: null });
    expect(asked.text).not.toContain("kd_jit_");
    expect((await admin.act(asked.body.id, "claim")).http).toBe(403);
    expect((await lead.act(asked.body.id, "claim")).body).toMatchObject({
      status: "ACTIVE",
      credential: { token },
    });
  });

  test("the same access requested twice is one request, and other people do not see it", async () => {
    const { person } = program();
    const dev = await person("abc123", "requester");
    const first = await dev.ask({ scopes: ["write:reports"] });
    const second = await dev.ask({ scopes: ["write:reports"], reason: "again", duration: "2h" });
    expect(second.http).toBe(409);
    expect(second.body).toMatchObject({ code: "duplicate_request", existing: first.body.id });
    const stranger = await person("dba_one", "requester");
    expect((await stranger.read(first.body.id)).http).toBe(404);
    expect((await dev.act(first.body.id, "cancel", { reason: "not needed" })).body.status).toBe("CANCELLED");
  });

  test("a token is found in no file, log line or audit record, and the built-in key in its own file only", async () => {
    const { admin, folder } = program();
    // For every token of this file's tests. The clean stop searches again.
    const database = readFileSync(join(folder, "data/jit.db"), "latin1");
    const log = readFileSync(join(folder, "data/jit.db-wal"), "latin1");
    expect(`${database}${log}`).not.toMatch(/kd_(jit|live)_[0-9A-Za-z]{36}/);
    expect(readFileSync(join(folder, "data/admin-key"), "utf8")).toBe(`${admin.key}\n`);
  });

  test("a token pasted into a reason is masked and ends", async () => {
    const { check, person } = program();
    const dev = await person("abc123", "requester");
    const { credential } = (await dev.ask({ scopes: ["read:dev:pasted"] })).body;
    const asked = await dev.ask({ scopes: ["read:chat"], reason: `mine is ${credential.token}, look` });
    expect(asked.text).not.toContain(credential.token);
    expect(asked.text).toContain(credential.token.slice(-4));
    expect((await check(credential.token, "read:dev:pasted")).http).toBe(401);
  });
});
