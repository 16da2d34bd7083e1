import { expect, test } from "vitest";
import type { Condition } from "../../../src/core/policy/conditions.ts";
import { emptyRules, type Policy } from "../../../src/core/policy/policy.ts";
import { isRefusal } from "../../../src/core/values/refusals.ts";
import { createConfigurationService } from "../../../src/service/policies/configuration-service.ts";
import { approvalPolicy, denyPolicy, stageBy } from "../../core/support/policies.ts";
import { allStaff, serviceHarnessForEach, refusalOrStatus } from "../support/service-harness.ts";

const asks = approvalPolicy("asks", { stages: [stageBy("group:dba")] });
const { harness } = serviceHarnessForEach(() => [asks]);

const hostile: Condition = { type: "REASON", operator: "MATCHES", value: "(a?){900}a{90}Z" };
const costly: Policy = { ...denyPolicy("costly", { conditions: [{ not: hostile }] }), managedBy: "file" };
const content = (policies: readonly Policy[]) => ({ identities: allStaff, policies, rules: emptyRules });
const load = async (policies: readonly Policy[]) =>
  createConfigurationService(harness().context).load(content(policies), "file", "jit.yaml");

/** As a version without the budget has stored it. */
async function storeAsBefore(policy: Policy): Promise<void> {
  const version = await harness().store.rulebookVersion();
  await harness().store.commit({
    expects: [{ kind: "rulebook", id: "rulebook", version }],
    writes: [{ kind: "policy", value: policy }],
    unique: [{ take: `policy-name:${policy.name}`, owner: policy.id }],
    counters: [],
    audit: [],
    effects: [],
  });
}

test("a file with a new pattern above the budget is refused with its path, and nothing of it is applied", async () => {
  const before = await harness().store.rulebook();
  const loaded = await load([asks, costly]);
  expect(loaded).toMatchObject({
    refused: "too_costly",
    errors: [{ path: "policies.1.conditions.0.not.value" }],
  });
  expect(await harness().store.rulebook()).toEqual(before);
});

test("a file whose costly pattern is stored already loads with a warning and counts it as unknown: the deny holds", async () => {
  await storeAsBefore(costly);
  expect(isRefusal(await load([asks, costly]))).toBe(false);
  const warnings = await createConfigurationService(harness().context).warnings(content([asks, costly]));
  expect(warnings).toMatchObject([{ path: ["policies", "1", "conditions", "0", "not", "value"] }]);
  expect(warnings[0]?.message).toContain("judged unknown");
  expect(refusalOrStatus(await harness().ask("dev"))).toBe("policy_denied");
});

test("a costly policy of the API is named in the warnings, and can still be disabled", async () => {
  const stored: Policy = { ...costly, managedBy: "api" };
  await storeAsBefore(stored);
  const warnings = await createConfigurationService(harness().context).warnings(content([asks]));
  expect(warnings.map((one) => one.message).join()).toContain(`the policy ${stored.id}`);
  const { policies } = harness().services;
  const { id: _, version: __, managedBy: ___, ...draft } = stored;
  const admin = await harness().caller("cto", "admin");
  expect(await policies.replace(admin, stored.id, { ...draft, enabled: false })).toMatchObject({
    enabled: false,
  });
  const more: Condition = { type: "TICKET", operator: "MATCHES", value: "(b?){900}" };
  expect(await policies.replace(admin, stored.id, { ...draft, conditions: [hostile, more] })).toMatchObject({
    refused: "too_costly",
    errors: [{ path: "conditions.1.value" }],
  });
});
