import { describe, expect, test } from "vitest";
import {
  approval,
  asking,
  byDba,
  condition,
  connectors,
  denied,
  identities,
  warningsOf,
} from "./support/config-warnings.ts";

describe("conditions that can never hold", () => {
  test.each([
    [
      "times that are none",
      [
        condition("TIME", "OUTSIDE", {
          days: ["MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN"],
          from: "00:00",
          to: "24:00",
          timezone: "Etc/UTC",
        }),
      ],
    ],
    ["two resources", [condition("RESOURCE", "EQUALS", "a"), condition("RESOURCE", "EQUALS", "b")]],
    [
      "two beginnings",
      [condition("RESOURCE", "STARTS_WITH", "dev:"), condition("RESOURCE", "STARTS_WITH", "prod:")],
    ],
    [
      "a value and its exclusion",
      [condition("ACTION", "EQUALS", "read"), condition("ACTION", "NOT_IN", ["read", "x"])],
    ],
    [
      "a condition and its opposite",
      [condition("ACTION", "EQUALS", "read"), { not: condition("ACTION", "EQUALS", "read") }],
    ],
    [
      "a group that is excluded",
      [condition("GROUP", "EQUALS", "dba"), condition("GROUP", "NOT_EQUALS", "dba")],
    ],
    ["durations", [condition("DURATION", "LESS_THAN", "1h"), condition("DURATION", "GREATER_THAN", "2h")]],
    ["less than the shortest duration", [condition("DURATION", "LESS_THAN", "1s")]],
    ["no alternative", [{ anyOf: [condition("DURATION", "LESS_THAN", "1s")] }]],
  ])("%s", (_, conditions) => {
    expect(denied(...conditions)).toEqual([expect.stringMatching(/^policies\.0\.conditions: never hold: /)]);
  });

  test.each([
    [[condition("RESOURCE", "STARTS_WITH", "prod:"), condition("RESOURCE", "STARTS_WITH", "prod:orders")]],
    [[condition("RESOURCE", "STARTS_WITH", "prod:"), condition("RESOURCE", "MATCHES", "^dev:")]],
    [[condition("GROUP", "EQUALS", "dba"), condition("GROUP", "EQUALS", "contractors")]],
    [[condition("IDENTITY", "EQUALS", "id_dev"), condition("IDENTITY", "EQUALS", "dev@company.com")]],
    [[condition("DURATION", "GREATER_THAN", "30d")]],
    [[condition("DURATION", "BETWEEN", ["1h", "2h"]), condition("DURATION", "LESS_THAN_OR_EQUAL", "1h")]],
    [[condition("TIME", "WITHIN", { days: ["MON"], from: "22:00", to: "06:00", timezone: "Etc/UTC" })]],
    [[{ not: condition("ACTION", "EQUALS", "read") }, condition("ACTION", "EQUALS", "write")]],
  ])("not %j", (conditions) => {
    expect(denied(...conditions)).toEqual([]);
  });

  test("a risk above 100, where there are rules", () => {
    const found = warningsOf({
      identities,
      risk: [{ name: "r", points: 9, when: [condition("ACTION", "EQUALS", "write")] }],
      policies: [
        { name: "no", deny: true, conditions: [condition("RISK_SCORE", "GREATER_THAN", 100)] },
        asking,
      ],
    });
    expect(found).toEqual([expect.stringContaining("policies.0.conditions: never hold: no risk (0 to 100)")]);
  });

  test("a policy that governs only requests that are too long for it", () => {
    const conditions = [condition("DURATION", "GREATER_THAN", "8h")];
    const policies = [{ name: "long", conditions, maxDuration: "4h", approval: byDba }];
    expect(warningsOf({ identities, policies })).toEqual([
      expect.stringContaining("policies.0.maxDuration: 4h is less than the durations"),
    ]);
  });
});

describe("approval that is impossible as written", () => {
  test.each([
    ["a manager is one person", { approvers: ["manager"], required: 2 }, "required: 2 approvals are wanted"],
    [
      "a manager and too few",
      { approvers: ["manager", "identity:id_bob"], required: 3 },
      "required: 3 approvals are wanted",
    ],
    [
      "an SLA as long as the window",
      { sla: "24h", escalateTo: [["group:contractors"]] },
      "sla: the request times out before",
    ],
    [
      "an SLA longer than the window",
      { sla: "2d", escalateTo: [["group:contractors"]] },
      "sla: the request times out before",
    ],
    [
      "a later list after the window",
      { sla: "13h", escalateTo: [["ann@company.com"], ["bob@company.com"]] },
      "escalateTo.1: is never asked",
    ],
    ["an SLA without further people", { sla: "1h" }, "sla: changes nothing without `escalateTo`"],
    [
      "a reminder after the SLA",
      { sla: "1h", reminders: ["90m"], escalateTo: [["bob@company.com"]] },
      "reminders: the reminder after 1h30m comes after the SLA",
    ],
    [
      "a reminder after the window",
      { reminders: ["25h"] },
      "reminders: the reminder after 1d1h is never sent",
    ],
  ])("%s", (_, stage, said) => {
    expect(approval(stage).map((one) => one.replace("policies.0.approval.stages.0.", ""))).toEqual([
      expect.stringContaining(said),
    ]);
  });

  test.each([
    [{ approvers: ["manager", "group:dba"], required: 3 }],
    [{ sla: "30m", reminders: ["15m"], escalateTo: [["group:contractors"]] }],
    [{ reminders: ["15m"] }],
  ])("not %j", (stage) => {
    expect(approval(stage)).toEqual([]);
  });

  test("more approvals over all stages than people", () => {
    const stages = [{ approvers: ["manager"] }, { approvers: ["manager"] }];
    expect(warningsOf({ identities, policies: [{ name: "p", approval: { stages } }] })).toEqual([
      "policies.0.approval.stages: 2 approvals are wanted over all stages, each person counts once, and there is only 1 person to ask",
    ]);
  });

  test("in the default policy too", () => {
    const approvalOfDefault = {
      window: "1h",
      stages: [{ approvers: ["group:dba"], sla: "2h", escalateTo: [["manager"]] }],
    };
    expect(warningsOf({ identities, default: { approval: approvalOfDefault } })).toEqual([
      expect.stringContaining("default.approval.stages.0.sla: "),
    ]);
  });
});

describe("policies that affect each other", () => {
  const auto = {
    name: "auto",
    autoApprove: true,
    conditions: [condition("RESOURCE", "STARTS_WITH", "dev:"), condition("DURATION", "LESS_THAN", "2h")],
  };
  const by = (prefix: string) => ({ ...asking, conditions: [condition("RESOURCE", "STARTS_WITH", prefix)] });

  test.each([
    ["nothing else", [{ ...auto, maxUsage: 9 }], {}, "policies.0.maxUsage: once it is spent"],
    [
      "one for other access",
      [{ ...auto, maxUsage: 9 }, by("prod:")],
      {},
      "policies.0.maxUsage: once it is spent",
    ],
    [
      "the default only",
      [{ ...auto, maxUsage: 9 }],
      { default: { approval: byDba } },
      "policies.0.maxUsage: once it is spent",
    ],
    ["nothing else, unlimited", [auto], {}, "policies.0.autoApprove: whatever it does not approve is denied"],
  ])("an automatic one with %s behind it", (_, policies, more, said) => {
    expect(warningsOf({ identities, policies, ...more })).toEqual([expect.stringContaining(said)]);
  });

  test.each([
    ["one that asks people for the same", [{ ...auto, maxUsage: 9 }, by("dev:")], {}],
    ["one that asks people for all", [{ ...auto, maxUsage: 9 }, asking], {}],
    ["the default, unlimited", [auto], { default: { approval: byDba } }],
    ["nothing, where nothing is left over", [{ ...auto, conditions: auto.conditions.slice(0, 1) }], {}],
  ])("not with %s behind it", (_, policies, more) => {
    expect(warningsOf({ identities, policies, ...more })).toEqual([]);
  });

  test("RISK_SCORE without risk rules is never known", () => {
    const policies = [{ ...auto, conditions: [condition("RISK_SCORE", "LESS_THAN", 30)] }, asking];
    expect(warningsOf({ identities, policies })).toEqual([
      expect.stringContaining("policies.0.conditions.0.type: RISK_SCORE is not known without risk rules"),
    ]);
    const risk = [{ name: "r", points: 40, when: [condition("ACTION", "EQUALS", "write")] }];
    expect(warningsOf({ identities, policies, risk })).toEqual([]);
  });

  test("a policy that never governs", () => {
    const always = { name: "first", priority: 5, approval: byDba };
    expect(warningsOf({ identities, policies: [always, { ...auto, priority: 5 }, by("x:")] })).toEqual([
      'policies.1.name: never governs: "first" holds wherever it does and comes first',
      'policies.2.name: never governs: "first" holds wherever it does and comes first',
    ]);
    expect(warningsOf({ identities, policies: [{ name: "no", deny: true }, by("x:")] })).toEqual([
      'policies.1.name: never governs: "no" holds wherever it does and comes first',
    ]);
    expect(
      warningsOf({ identities, policies: [by("x:"), { ...by("x:"), name: "other", priority: 3 }] }),
    ).toEqual([expect.stringContaining("policies.0.name: never governs")]);
  });
});

test("a catalog entry that a request would refuse", () => {
  const catalog = [
    { name: "Orders", scopes: ["read:prod:orders-db", "raed:prod:orders-db", "raed:elsewhere"] },
  ];
  expect(warningsOf({ identities, catalog, connectors })).toEqual([
    "catalog.0.scopes.1: cannot be asked for: prod:orders-db has the actions read, export",
  ]);
});
