import * as fc from "fast-check";
import { describe, expect, expectTypeOf, test } from "vitest";
import { z } from "zod";
import { makeId } from "../../src/core/values/ids.ts";
import type { Policy } from "../../src/core/policy/policy.ts";
import { hourMs, minuteMs } from "../../src/core/values/time.ts";
import { fieldProblems } from "../../src/config/schemas/field-problems.ts";
import { defaultPolicyContent, policyContent, writtenPolicy } from "../../src/config/schemas/policy.ts";
import { anyPolicy } from "./support/arbitraries.ts";

/** The documented example, verbatim. */
const seed = JSON.parse(`{ "name": "dev-environment-auto-approve", "autoApprove": true,
  "conditions": [ { "type": "RESOURCE", "operator": "STARTS_WITH", "value": "dev:" },
                  { "type": "DURATION", "operator": "LESS_THAN", "value": "2h" },
                  { "type": "RISK_SCORE", "operator": "LESS_THAN", "value": 30 } ],
  "maxDuration": "4h", "maxUsage": 100 }`);

const conditions = [{ type: "RESOURCE", operator: "STARTS_WITH", value: "dev:" }];
const approval = { stages: [{ approvers: ["security@company.com"] }] };
const asking = { name: "p", approval };

function stageOf(stage: object): object {
  return { name: "p", approval: { stages: [{ approvers: ["group:dba"], ...stage }] } };
}

function problemPaths(schema: z.ZodType, written: unknown): string[] {
  const outcome = schema.safeParse(written);
  return outcome.success ? [] : fieldProblems(outcome.error, written).map((problem) => problem.path);
}

test("the seed form is accepted verbatim", () => {
  expect(policyContent.parse(seed)).toEqual({
    name: "dev-environment-auto-approve",
    enabled: true,
    priority: 0,
    effect: { kind: "auto" },
    conditions: [
      { type: "RESOURCE", operator: "STARTS_WITH", value: "dev:" },
      { type: "DURATION", operator: "LESS_THAN", valueMs: 2 * hourMs },
      { type: "RISK_SCORE", operator: "LESS_THAN", value: 30 },
    ],
    maxDurationMs: 4 * hourMs,
    claimWindowMs: 8 * hourMs,
    maxUsage: 100,
    requireTicket: false,
  });
});

const ours = { id: makeId("policy", "x"), version: 3, managedBy: "api" } as const;

test("responses show the seed form as it was written", () => {
  const policy: Policy = { ...policyContent.parse(seed), ...ours };
  expect(writtenPolicy(policy)).toMatchObject({ ...seed, ...ours });
});

test("a complete approval is read", () => {
  const { effect } = policyContent.parse({
    name: "p",
    approval: {
      window: "24h",
      channels: ["slack:C0APPROVALS"],
      stages: [
        {
          approvers: [
            "security@company.com",
            "group:dba",
            "identity:id_lead",
            "manager",
            "slack-usergroup:S0123",
          ],
          required: 2,
          sla: "30m",
          reminders: ["20m", "15m"],
          escalateTo: [["cto@company.com"], ["group:leadership"]],
          via: ["slack", "teams", "api"],
        },
      ],
    },
  });
  expect(effect).toEqual({
    kind: "approval",
    approval: {
      windowMs: 24 * hourMs,
      channels: ["slack:C0APPROVALS"],
      stages: [
        {
          approvers: [
            { kind: "email", email: "security@company.com" },
            { kind: "group", group: "dba" },
            { kind: "identity", id: "id_lead" },
            { kind: "manager" },
            { kind: "slack-usergroup", id: "S0123" },
          ],
          required: 2,
          slaMs: 30 * minuteMs,
          remindersMs: [15 * minuteMs, 20 * minuteMs],
          escalateTo: [
            [{ kind: "email", email: "cto@company.com" }],
            [{ kind: "group", group: "leadership" }],
          ],
          via: ["slack", "teams", "api"],
        },
      ],
    },
  });
});

test("omitted fields of an approval have the documented defaults", () => {
  const policy = policyContent.parse(asking);
  expect(policy).toMatchObject({ maxDurationMs: 8 * hourMs, claimWindowMs: 8 * hourMs, conditions: [] });
  expect(policy.effect).toEqual({
    kind: "approval",
    approval: {
      windowMs: 24 * hourMs,
      channels: [],
      stages: [
        {
          approvers: [{ kind: "email", email: "security@company.com" }],
          required: 1,
          remindersMs: [],
          escalateTo: [],
        },
      ],
    },
  });
});

test("false means the same as omitting it", () => {
  expect(policyContent.parse({ ...asking, autoApprove: false, deny: false })).toEqual(
    policyContent.parse(asking),
  );
});

const refused: [string, unknown, string[]][] = [
  ["neither auto, deny nor approval", { name: "p", autoApprove: false }, [""]],
  ["auto without conditions", { name: "p", autoApprove: true }, ["conditions"]],
  ["auto and deny", { name: "p", autoApprove: true, deny: true, conditions }, ["deny"]],
  ["auto and approval", { ...asking, autoApprove: true, conditions }, ["approval"]],
  ["deny and approval", { ...asking, deny: true }, ["approval"]],
  ["no name", { approval }, ["name"]],
  ["an empty name", { name: "", approval }, ["name"]],
  ["a long name", { name: "x".repeat(101), approval }, ["name"]],
  ["an unknown field", { ...asking, maxUse: 1 }, ["maxUse"]],
  ["what is ours", { ...asking, id: "pol_x", version: 1, managedBy: "api" }, ["id", "version", "managedBy"]],
  ["a period without a number", { ...asking, usagePeriod: "1d" }, ["usagePeriod"]],
  ["no use at all", { ...asking, maxUsage: 0 }, ["maxUsage"]],
  ["a fraction of a priority", { ...asking, priority: 0.5 }, ["priority"]],
  [
    "a bad duration",
    { ...asking, maxDuration: "forever", claimWindow: "31d" },
    ["maxDuration", "claimWindow"],
  ],
  ["no stage", { name: "p", approval: { stages: [] } }, ["approval.stages"]],
  ["an unknown field in approval", { name: "p", approval: { ...approval, sla: "1h" } }, ["approval.sla"]],
  [
    "a bad channel",
    { name: "p", approval: { ...approval, channels: ["#general"] } },
    ["approval.channels.0"],
  ],
  ["nobody", stageOf({ approvers: [] }), ["approval.stages.0.approvers"]],
  ["a bad selector", stageOf({ approvers: ["group:dba", "everyone"] }), ["approval.stages.0.approvers.1"]],
  ["none required", stageOf({ required: 0 }), ["approval.stages.0.required"]],
  ["too many required", stageOf({ required: 21 }), ["approval.stages.0.required"]],
  ["escalation without SLA", stageOf({ escalateTo: [["manager"]] }), ["approval.stages.0.escalateTo"]],
  ["a flat escalation", stageOf({ sla: "1h", escalateTo: ["manager"] }), ["approval.stages.0.escalateTo.0"]],
  ["mail as a place to decide", stageOf({ via: ["email"] }), ["approval.stages.0.via.0"]],
  ["no place to decide", stageOf({ via: [] }), ["approval.stages.0.via"]],
  ["a reminder twice", stageOf({ reminders: ["60m", "1h"] }), ["approval.stages.0.reminders.1"]],
];

describe("an ambiguous policy is refused with its path", () => {
  test.each(refused)("%s", (_name, written, paths) => {
    expect(problemPaths(policyContent, written)).toEqual(paths);
  });
});

const refusedDefaults: [string, unknown, string[]][] = [
  ["auto", { autoApprove: true }, ["approval", "autoApprove"]],
  ["deny", { deny: true }, ["approval", "deny"]],
  ["conditions", { approval, conditions }, ["conditions"]],
  ["switched off", { approval, enabled: false }, ["enabled"]],
];

describe("the default policy asks people about whatever no other governs", () => {
  test.each(refusedDefaults)("%s is refused", (_name, written, paths) => {
    expect(problemPaths(defaultPolicyContent, written).toSorted()).toEqual(paths);
  });

  test("its name may be omitted", () => {
    expect(defaultPolicyContent.parse({ approval }).name).toBe("default");
  });
});

test("every policy the core knows is written and read back unchanged", () => {
  fc.assert(
    fc.property(anyPolicy, (policy) => {
      const { id, version, managedBy, ...content } = policy;
      const { id: _id, version: _version, managedBy: _managedBy, ...written } = writtenPolicy(policy);
      expect(policyContent.parse(written)).toEqual(content);
      expect(writtenPolicy(policy)).toMatchObject({ id, version, managedBy });
    }),
  );
});

test("the written form has a JSON Schema", () => {
  expect(z.toJSONSchema(policyContent, { io: "input" })).toMatchObject({
    required: ["name"],
    additionalProperties: false,
    properties: { maxDuration: { default: "8h" } },
  });
});

test("the schema's output is the core's policy without the fields of the service", () => {
  expectTypeOf<z.output<typeof policyContent>>().toEqualTypeOf<
    Omit<Policy, "id" | "version" | "managedBy">
  >();
});
