import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { hourMs } from "../../../src/core/values/time.ts";
import {
  devAsk,
  jit,
  openHttpHarness,
  prodAsk,
  tokenIn,
  type Answer,
  type HttpHarness,
} from "../support/http-harness.ts";

let harness: HttpHarness;
beforeEach(async () => {
  harness = await openHttpHarness();
});
afterEach(async () => {
  await harness.close();
});

const act = async (name: string, verb: string, id: string, body?: object): Promise<Answer> =>
  harness.call("POST", `${jit}/${id}/${verb}`, { key: await harness.keyOf(name), ...(body && { body }) });

describe("submitting", () => {
  test("returns 201 with the complete pending request and no credential", async () => {
    const answer = await harness.call("POST", jit, {
      key: await harness.keyOf("dev"),
      body: { ...prodAsk, ticket: "OPS-7", metadata: { incident: "42" }, notifyChannels: ["slack", "email"] },
    });
    expect(answer.status).toBe(201);
    expect(answer.headers["location"]).toBe(`${jit}/${String(answer.body["id"])}`);
    expect(answer.body).toMatchObject({
      id: expect.stringMatching(/^jit_/),
      status: "PENDING",
      identityId: "id_dev",
      requestedBy: "id_dev",
      requestedAt: "2026-01-15T10:30:00.000Z",
      expiresAt: null,
      reason: "an incident",
      scopes: ["read:prod:orders-db"],
      duration: "4h",
      grantedDuration: null,
      ticket: "OPS-7",
      metadata: { incident: "42" },
      notifyChannels: ["slack", "email"],
      notifications: [
        { channel: "slack", state: "NOT_CONFIGURED" },
        { channel: "email", state: "NOT_CONFIGURED" },
      ],
      breakGlass: false,
      extends: null,
      approvals: [{ stage: 1, required: 1, given: 0 }],
      approvers: [
        { email: "ann@company.com", status: "PENDING" },
        { email: "bob@company.com" },
        { email: "cid@company.com" },
      ],
      policies: [{ name: "prod", version: 1, scopes: ["read:prod:orders-db"] }],
      risk: null,
      grant: null,
    });
    expect(answer.body).not.toHaveProperty("credential");
  });

  test("an auto-approved request starts at once, and its response forbids caching", async () => {
    const answer = await harness.call("POST", jit, { key: await harness.keyOf("dev"), body: devAsk });
    expect(answer.status).toBe(201);
    expect(answer.body).toMatchObject({ status: "ACTIVE", expiresAt: "2026-01-15T11:30:00.000Z" });
    expect(tokenIn(answer)).toMatch(/^kd_jit_[0-9A-Za-z]{36}$/);
    expect(answer.headers["cache-control"]).toBe("no-store");
  });

  test("an administrator submits for somebody else and never sees the credential", async () => {
    const answer = await harness.call("POST", jit, { key: harness.admin, body: devAsk });
    expect(answer.body).toMatchObject({ status: "APPROVED", requestedBy: "id_admin", identityId: "id_dev" });
    expect(answer.text).not.toContain("kd_jit_");
    expect(tokenIn(await act("dev", "claim", String(answer.body["id"])))).toMatch(/^kd_jit_/);
  });

  test("break-glass needs no approval, is claimed at once and is reviewed afterwards", async () => {
    const answer = await harness.call("POST", jit, {
      key: await harness.keyOf("dev"),
      body: { ...prodAsk, duration: "30m", breakGlass: true },
    });
    expect(answer.body).toMatchObject({ status: "ACTIVE", breakGlass: true, review: { reviews: [] } });
    const id = String(answer.body["id"]);
    const judged = await act("sec", "review", id, { outcome: "unjustified", comment: "not needed" });
    expect(judged.status).toBe(200);
    expect(judged.body).toMatchObject({
      status: "REVOKED",
      review: { reviews: [{ by: "id_sec", outcome: "unjustified", comment: "not needed" }] },
    });
  });
});

describe("deciding", () => {
  test("approve, with an empty body and no content type, approves", async () => {
    const answer = await act("ann", "approve", await harness.ask());
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({
      status: "APPROVED",
      approvals: [{ given: 1 }],
      grantedDuration: "4h",
    });
  });

  test("approve accepts a shorter duration, a comment and the revision", async () => {
    const id = await harness.ask();
    const seen = await harness.call("GET", `${jit}/${id}`, { key: await harness.keyOf("ann") });
    const { revision } = seen.body;
    const answer = await act("ann", "approve", id, { comment: "briefly", duration: "1h", revision });
    expect(answer.body).toMatchObject({ status: "APPROVED", grantedDuration: "1h" });
    expect(answer.text).toContain('"comment":"briefly"');
    expect(
      (await act("ann", "approve", await harness.ask({ scopes: ["read:prod:b"] }), { duration: "5h" })).body,
    ).toMatchObject({
      code: "invalid_duration",
    });
  });

  test("deny requires a reason and ends the request", async () => {
    const id = await harness.ask();
    expect((await act("ann", "deny", id)).body).toMatchObject({
      code: "invalid_body",
      errors: [{ path: "reason", message: "is missing" }],
    });
    expect((await act("ann", "deny", id, { reason: "not today" })).body).toMatchObject({ status: "DENIED" });
  });

  test("a decision by API key shows who made the key", async () => {
    const answer = await act("ann", "approve", await harness.ask());
    expect(answer.text).toContain('"keyMintedBy":"id_admin"');
  });
});

/** A well-formed public key. */
const sshPublicKey = `ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI${"A".repeat(43)} dev`;

describe("active access", () => {
  test("claim shows the credential once, and starts the clock", async () => {
    const id = await harness.approved();
    harness.harness.clock.pass(hourMs);
    const answer = await act("dev", "claim", id, { sshPublicKey });
    expect(answer.status).toBe(200);
    expect(answer.headers["cache-control"]).toBe("no-store");
    expect(answer.body).toMatchObject({
      status: "ACTIVE",
      startedAt: "2026-01-15T11:30:00.000Z",
      expiresAt: "2026-01-15T15:30:00.000Z",
      credential: { expiresAt: "2026-01-15T15:30:00.000Z", targets: [] },
    });
    const token = tokenIn(answer);
    const read = await harness.call("GET", `${jit}/${id}`, { key: await harness.keyOf("dev") });
    expect(read.text).not.toContain(token);
    expect(read.body).toMatchObject({ grant: { credential: { last4: token.slice(-4) } } });
  });

  test("of simultaneous claims one gets the credential and the others are refused", async () => {
    const id = await harness.approved();
    const answers = await Promise.all(Array.from({ length: 8 }, () => act("dev", "claim", id)));
    expect(answers.map((one) => one.status).toSorted((a, b) => a - b)).toEqual([
      200, 409, 409, 409, 409, 409, 409, 409,
    ]);
    expect(answers.filter((one) => one.text.includes("kd_jit_"))).toHaveLength(1);
  });

  test("rotate replaces the token: the old one stops working immediately", async () => {
    const { id, token } = await harness.claimed();
    const answer = await act("dev", "rotate", id);
    expect(answer.status).toBe(200);
    const bearer = (key: string) => harness.call("GET", "/api/v1/check?scope=read:prod:orders-db", { key });
    expect((await bearer(token)).status).toBe(401);
    expect((await bearer(tokenIn(answer))).status).toBe(200);
  });

  test("complete by its holder ends it", async () => {
    const { id } = await harness.claimed();
    expect((await act("dev", "complete", id, { note: "done" })).body).toMatchObject({ status: "COMPLETED" });
  });

  test("complete by the credential itself ends its own request only", async () => {
    const { id, token } = await harness.claimed();
    const other = await harness.approved({ scopes: ["read:prod:b"] });
    expect((await harness.call("POST", `${jit}/${other}/complete`, { key: token })).body).toMatchObject({
      code: "not_requester",
    });
    const answer = await harness.call("POST", `${jit}/${id}/complete`, { key: token });
    expect(answer.body).toMatchObject({ status: "COMPLETED" });
    const again = await harness.call("POST", `${jit}/${id}/complete`, { key: token });
    expect(again.status).toBe(401);
    expect(again.headers["www-authenticate"]).toBe("Bearer");
  });

  test("a credential works on no other route of the API", async () => {
    const { id, token } = await harness.claimed();
    expect((await harness.call("GET", `${jit}/${id}`, { key: token })).status).toBe(401);
    expect((await harness.call("POST", `${jit}/${id}/rotate`, { key: token })).status).toBe(401);
  });

  test("extend returns 201 with a child request whose approval extends its parent", async () => {
    const { id } = await harness.claimed();
    const child = await act("dev", "extend", id, { duration: "1h", reason: "not finished" });
    expect(child.status).toBe(201);
    expect(child.body).toMatchObject({ status: "PENDING", extends: id, duration: "1h" });
    const approved = await act("ann", "approve", String(child.body["id"]));
    expect(approved.body).toMatchObject({ status: "COMPLETED" });
    const parent = await harness.call("GET", `${jit}/${id}`, { key: await harness.keyOf("dev") });
    expect(parent.body).toMatchObject({ status: "ACTIVE", expiresAt: "2026-01-15T15:30:00.000Z" });
  });

  test("an auto-approved extension is a 201 without a credential", async () => {
    const asked = await harness.call("POST", jit, { key: await harness.keyOf("dev"), body: devAsk });
    const child = await act("dev", "extend", String(asked.body["id"]), { duration: "1h", reason: "more" });
    expect(child.status).toBe(201);
    expect(child.body).toMatchObject({ status: "COMPLETED" });
    expect(child.text).not.toContain("kd_jit_");
  });
});

describe("ending", () => {
  test("cancel withdraws, by the submitter and by the requester", async () => {
    expect((await act("dev", "cancel", await harness.ask())).body).toMatchObject({ status: "CANCELLED" });
    const asked = await harness.call("POST", jit, { key: harness.admin, body: prodAsk });
    const cancelled = await harness.call("POST", `${jit}/${String(asked.body["id"])}/cancel`, {
      key: harness.admin,
      body: { reason: "a mistake" },
    });
    expect(cancelled.body).toMatchObject({ status: "CANCELLED", endReason: "a mistake" });
  });

  test("revoke by an administrator or an approver ends active or approved access", async () => {
    const { id } = await harness.claimed();
    expect((await act("ann", "revoke", id, { reason: "enough" })).body).toMatchObject({
      status: "REVOKED",
      endReason: "enough",
    });
    const second = await harness.approved({ scopes: ["read:prod:b"] });
    const revoked = await harness.call("POST", `${jit}/${second}/revoke`, {
      key: harness.admin,
      body: { reason: "enough" },
    });
    expect(revoked.body).toMatchObject({ status: "REVOKED" });
  });
});
