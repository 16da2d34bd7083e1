import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { api, jit, openHttpHarness, prodAsk, type HttpHarness } from "../support/http-harness.ts";

let harness: HttpHarness;
beforeEach(async () => {
  harness = await openHttpHarness();
});
afterEach(async () => {
  await harness.close();
});

const admin = (method: string, path: string, body?: unknown) =>
  harness.call(method, `${api}${path}`, { key: harness.admin, ...(body !== undefined && { body }) });

describe("group names with the characters that directories allow", () => {
  const group = "Team DBA (EU)";

  test("are stored for people and policies, and compared exactly", async () => {
    const person = (name: string, groups: readonly string[]) =>
      admin("POST", "/identities", { id: `id_${name}`, email: `${name}@company.com`, name, groups });
    expect((await person("eu", [group, "گروه\u200Cها"])).body).toMatchObject({
      groups: [group, "گروه\u200Cها"],
    });
    expect((await person("lower", ["team dba (eu)"])).status).toBe(201);
    const policy = await admin("POST", "/policies", {
      name: "eu",
      priority: 9,
      conditions: [
        { type: "RESOURCE", operator: "STARTS_WITH", value: "eu:" },
        { not: { type: "GROUP", operator: "EQUALS", value: "Contractors (all)" } },
      ],
      approval: { stages: [{ approvers: [`group:${group}`] }] },
    });
    expect(policy.body).toMatchObject({ approval: { stages: [{ approvers: [`group:${group}`] }] } });
    const ask = { ...prodAsk, scopes: ["read:eu:x"] };
    const asked = await harness.call("POST", jit, { key: await harness.keyOf("dev"), body: ask });
    expect(asked.body).toMatchObject({ status: "PENDING", approvers: [{ identityId: "id_eu" }] });
    const path = `${jit}/${String(asked.body["id"])}/approve`;
    const refused = await harness.call("POST", path, { key: await harness.keyOf("lower"), body: {} });
    expect(refused.body).toMatchObject({ code: "not_an_approver" });
    const approved = await harness.call("POST", path, { key: await harness.keyOf("eu"), body: {} });
    expect(approved.body).toMatchObject({ status: "APPROVED", approvers: [{ as: [`group:${group}`] }] });
  });

  test.each([" x", "x ", "a\nb", "a\u0007b", "", "x".repeat(257)])(
    "%j is refused with its path",
    async (name) => {
      const answer = await admin("POST", "/identities", {
        email: "x@company.com",
        name: "x",
        groups: [name],
      });
      expect(answer.body).toMatchObject({ code: "invalid_body", errors: [{ path: "groups.0" }] });
      const stages = [{ approvers: [`group:${name}`] }];
      const policy = await admin("POST", "/policies", { name: "p", approval: { stages } });
      expect(policy.body).toMatchObject({
        code: "invalid_body",
        errors: [{ path: "approval.stages.0.approvers.0" }],
      });
    },
  );
});
