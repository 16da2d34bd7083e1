import { afterEach, beforeEach, expect, test } from "vitest";
import { api, openHttpHarness, type HttpHarness } from "../support/http-harness.ts";

let harness: HttpHarness;
beforeEach(async () => {
  harness = await openHttpHarness();
});
afterEach(async () => {
  await harness.close();
});

const admin = (method: string, path: string, body?: unknown) =>
  harness.call(method, `${api}${path}`, { key: harness.admin, ...(body !== undefined && { body }) });

const denyOf = (group: string) => ({
  name: "no externals",
  deny: true,
  conditions: [{ type: "GROUP", operator: "EQUALS", value: group }],
});

test("a policy made through the API warns about an empty group until somebody joins it", async () => {
  const made = await admin("POST", "/policies", denyOf("externals"));
  expect(made.status).toBe(201);
  const warnings = [
    { path: "conditions.0.value", message: "GROUP EQUALS externals: nobody is in such a group" },
  ];
  expect(made.body["warnings"]).toEqual(warnings);
  const path = `/policies/${String(made.body["id"])}`;
  expect((await admin("GET", path)).body).toEqual(made.body);
  const person = { email: "x@company.com", name: "X", groups: ["externals"] };
  expect((await admin("POST", "/identities", person)).status).toBe(201);
  expect((await admin("GET", path)).body["warnings"]).toBeUndefined();
  const replaced = await admin("PUT", path, denyOf("Externals"));
  expect(replaced.body["warnings"]).toEqual([
    { path: "conditions.0.value", message: expect.stringContaining('"externals" is known') },
  ]);
});

test("unknown approvers and unconfigured channels are among the warnings", async () => {
  const approval = { channels: ["slack:C0NOWHERE"], stages: [{ approvers: ["group:nobodys"], required: 2 }] };
  const made = await admin("POST", "/policies", { name: "p", priority: 99, approval });
  expect(made.body["warnings"]).toEqual([
    { path: "approval.stages.0.approvers.0", message: expect.stringContaining("means nobody") },
    { path: "approval.channels.0", message: expect.stringContaining("is told nothing") },
  ]);
});

test("a correct policy has no warnings", async () => {
  const approval = { stages: [{ approvers: ["group:dba"] }] };
  const conditions = [{ type: "RESOURCE", operator: "STARTS_WITH", value: "fine:" }];
  const made = await admin("POST", "/policies", { name: "fine", conditions, approval });
  expect(made.body["warnings"]).toBeUndefined();
});
