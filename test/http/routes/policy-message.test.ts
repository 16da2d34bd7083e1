import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { api, jit, openHttpHarness, prodAsk, type HttpHarness } from "../support/http-harness.ts";

let harness: HttpHarness;
beforeEach(async () => {
  harness = await openHttpHarness();
});
afterEach(async () => {
  await harness.close();
});

const message = 'Use the replica, "read:replica:x", and tell #dba.';
const said = `Its author says: "${message}"`;
const deny = {
  name: "no production",
  deny: true,
  message,
  conditions: [{ type: "RESOURCE", operator: "STARTS_WITH", value: "prod:" }],
};
const admin = (method: string, path: string, body?: unknown) =>
  harness.call(method, `${api}${path}`, { key: harness.admin, ...(body !== undefined && { body }) });
const dev = async (url: string, body: unknown) =>
  harness.call("POST", url, { key: await harness.keyOf("dev"), body });

describe("the message of a policy that denies", () => {
  test("is stored with the policy, and a change raises its version", async () => {
    const made = await admin("POST", "/policies", deny);
    expect(made.body).toMatchObject({ message, version: 1 });
    const path = `/policies/${String(made.body["id"])}`;
    const changed = await admin("PUT", path, { ...deny, message: "Ask later." });
    expect(changed.body).toMatchObject({ message: "Ask later.", version: 2 });
    const { message: _, ...without } = deny;
    expect((await admin("PUT", path, without)).body["message"]).toBeUndefined();
  });

  test("is in the detail of the refusal, of the dry run, and of emergencies", async () => {
    await admin("POST", "/policies", deny);
    const refused = await dev(jit, prodAsk);
    expect(refused.status).toBe(403);
    expect(refused.body).toMatchObject({ code: "policy_denied", detail: expect.stringContaining(said) });
    expect(refused.body["policyMessage"]).toBeUndefined();
    const tried = await dev(`${api}/policies/evaluate`, { request: prodAsk });
    expect(tried.body).toMatchObject({
      outcome: "REFUSED",
      refusal: { detail: expect.stringContaining(said) },
    });
  });

  test("is the end reason of a request that it denies at the last approval", async () => {
    const asked = await dev(jit, prodAsk);
    expect(asked.body["status"]).toBe("PENDING");
    await admin("POST", "/policies", deny);
    const path = `${jit}/${String(asked.body["id"])}/approve`;
    const pressed = await harness.call("POST", path, { key: await harness.keyOf("ann"), body: {} });
    expect(pressed.body).toMatchObject({ status: "DENIED", endReason: expect.stringContaining(said) });
  });

  test.each([
    ["nothing", ""],
    ["only spaces", "  "],
    ["501 characters", "x".repeat(501)],
    ["a control character", "a\u0007b"],
    ["a number", 7],
  ])("is refused when it is %s", async (_, wrong) => {
    const answer = await admin("POST", "/policies", { ...deny, message: wrong });
    expect(answer.body).toMatchObject({ code: "invalid_body", errors: [{ path: "message" }] });
  });

  test("may have 500 characters and several lines, which the detail joins", async () => {
    expect((await admin("POST", "/policies", { ...deny, message: "x".repeat(500) })).status).toBe(201);
    await admin("POST", "/policies", {
      ...deny,
      name: "other",
      message: "One.\nTicket: INC-1",
      conditions: [{ type: "RESOURCE", operator: "STARTS_WITH", value: "lines:" }],
    });
    const refused = await dev(jit, { ...prodAsk, scopes: ["read:lines:x"] });
    expect(refused.body["detail"]).toMatch(/Its author says: "One\. Ticket: INC-1"$/);
  });

  test("causes a warning where it is never shown", async () => {
    const approval = { stages: [{ approvers: ["group:dba"] }] };
    const { deny: _, ...rest } = deny;
    const made = await admin("POST", "/policies", { ...rest, approval });
    expect(made.body["warnings"]).toMatchObject([{ path: "message" }]);
  });
});
