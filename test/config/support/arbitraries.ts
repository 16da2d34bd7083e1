import * as fc from "fast-check";
import { assertPresent } from "../../../src/core/values/assert.ts";
import {
  countConditionTypes,
  listOperators,
  measureConditionTypes,
  numberOperators,
  textOperators,
  textConditionTypes,
  weekdays,
  type Condition,
  type CountConditionType,
  type LeafCondition,
  type MeasureConditionType,
  type TextConditionType,
} from "../../../src/core/policy/conditions.ts";
import { makeId } from "../../../src/core/values/ids.ts";
import { formatSelector, parseSelector, type Selector } from "../../../src/core/values/identity.ts";
import { everyMember } from "../../support/every-member.ts";
import type { ApprovalRule, Policy, PolicyEffect, StageRule } from "../../../src/core/policy/policy.ts";

/** Whole seconds, because a written duration has no fractions. */
const durationMs = fc.integer({ min: 1, max: 30 * 24 * 3_600 }).map((seconds) => seconds * 1_000);
const text = fc.string({ minLength: 1, maxLength: 30 });
const count = fc.nat({ max: 1_000_000 });
const textType = fc.constantFrom(...textConditionTypes);
const countType = fc.constantFrom(...countConditionTypes);
const measureType = fc.constantFrom(...measureConditionTypes);
const numberOperator = fc.constantFrom(...numberOperators);
const between = fc.constant("BETWEEN" as const);
const clock = (hours: number) =>
  fc
    .tuple(fc.nat({ max: hours }), fc.nat({ max: 59 }))
    .map((parts) => parts.map((part) => String(part).padStart(2, "0")).join(":"));

function pairOf(one: fc.Arbitrary<number>) {
  return fc.tuple(one, one).map(([a, b]) => [Math.min(a, b), Math.max(a, b)] as const);
}

const plainOperator = fc.constantFrom(...textOperators.filter((operator) => operator !== "MATCHES"));

const textCondition: fc.Arbitrary<Condition> = fc.oneof(
  fc.record({ type: textType, operator: plainOperator, value: text }),
  fc.record({
    type: textType,
    operator: fc.constant("MATCHES" as const),
    value: fc.constantFrom("^a+$", "(?i)x", "[0-9]{2,3}", "a|b"),
  }),
  fc.record({
    type: textType,
    operator: fc.constantFrom(...listOperators),
    value: fc.uniqueArray(text, { minLength: 1, maxLength: 5 }),
  }),
);

const countCondition: fc.Arbitrary<Condition> = fc.oneof(
  fc.record(
    { type: countType, operator: numberOperator, value: count, withinMs: durationMs },
    { requiredKeys: ["type", "operator", "value"] },
  ),
  fc.record(
    { type: countType, operator: between, value: pairOf(count), withinMs: durationMs },
    { requiredKeys: ["type", "operator", "value"] },
  ),
);

const measureCondition: fc.Arbitrary<Condition> = fc.oneof(
  fc.record({ type: measureType, operator: numberOperator, value: count }),
  fc.record({ type: measureType, operator: between, value: pairOf(count) }),
);

/** Types of conditions that are in none of the lists. */
type OtherType = Exclude<
  LeafCondition["type"],
  TextConditionType | CountConditionType | MeasureConditionType
>;

/** Every form a condition can have except nesting. */
const leaf: fc.Arbitrary<Condition> = fc.oneof(
  { weight: 3, arbitrary: textCondition },
  { weight: 2, arbitrary: countCondition },
  { weight: 2, arbitrary: measureCondition },
  {
    weight: 3,
    arbitrary: everyMember<OtherType, Condition>({
      DURATION: fc.oneof(
        fc.record({ type: fc.constant("DURATION" as const), operator: numberOperator, valueMs: durationMs }),
        fc.record({ type: fc.constant("DURATION" as const), operator: between, valueMs: pairOf(durationMs) }),
      ),
      TIME: fc.record({
        type: fc.constant("TIME" as const),
        operator: fc.constantFrom("WITHIN", "OUTSIDE"),
        value: fc
          .record({
            days: fc.subarray([...weekdays], { minLength: 1 }),
            from: clock(23),
            to: fc.oneof(clock(23), fc.constant("24:00")),
            timezone: fc.constantFrom("Europe/Berlin", "Etc/UTC", "America/New_York"),
          })
          .filter((window) => window.from !== window.to),
      }),
    }),
  },
);

export const anyCondition: fc.Arbitrary<Condition> = fc.letrec<{ condition: Condition }>((tie) => ({
  condition: fc.oneof(
    { maxDepth: 8, depthSize: "small" },
    leaf,
    fc.record({ anyOf: fc.array(tie("condition"), { minLength: 1, maxLength: 3 }) }),
    fc.record({ not: tie("condition") }),
  ),
})).condition;

const selector = everyMember<Selector["kind"], string>({
  email: fc.constant("dev@company.com"),
  group: fc.constantFrom("group:dba", "group:on call"),
  identity: fc.constant("identity:id_lead"),
  manager: fc.constant("manager"),
  "slack-usergroup": fc.constant("slack-usergroup:S0123"),
}).map((written) => assertPresent(parseSelector(written), written));
const selectors = fc.uniqueArray(selector, { minLength: 1, maxLength: 4, selector: formatSelector });

const stage: fc.Arbitrary<StageRule> = fc
  .record(
    {
      approvers: selectors,
      required: fc.integer({ min: 1, max: 20 }),
      slaMs: durationMs,
      remindersMs: fc
        .uniqueArray(durationMs, { maxLength: 3 })
        .map((list) => list.toSorted((one, other) => one - other)),
      escalateTo: fc.array(selectors, { maxLength: 3 }),
      via: fc.subarray(["slack", "teams", "api"] as const, { minLength: 1 }),
    },
    { requiredKeys: ["approvers", "required", "remindersMs", "escalateTo"] },
  )
  .map((one) => (one.slaMs === undefined ? { ...one, escalateTo: [] } : one));

const approval: fc.Arbitrary<ApprovalRule> = fc.record({
  windowMs: durationMs,
  channels: fc.subarray(["slack:C0APPROVALS", "teams:19:a_b-c@thread.tacv2", "email:a@b.example"]),
  stages: fc.array(stage, { minLength: 1, maxLength: 3 }),
});

const effect = everyMember<PolicyEffect["kind"], PolicyEffect>({
  auto: fc.constant({ kind: "auto" }),
  deny: fc.constant({ kind: "deny" }),
  approval: fc.record({ kind: fc.constant("approval" as const), approval }),
});

const limit = fc.oneof(
  fc.constant({}),
  fc.record(
    { maxUsage: fc.integer({ min: 1, max: 1_000_000 }), usagePeriodMs: durationMs },
    { requiredKeys: ["maxUsage"] },
  ),
);

/** Every policy that the core and the schema accept. */
export const anyPolicy: fc.Arbitrary<Policy> = fc
  .tuple(
    fc.record(
      {
        id: fc.constant(makeId("policy", "one")),
        version: fc.integer({ min: 1, max: 1_000 }),
        name: fc.constantFrom("one", "Production: change (2 people)", "Größe"),
        description: text,
        enabled: fc.boolean(),
        priority: fc.integer({ min: -1_000, max: 1_000 }),
        effect,
        conditions: fc.array(anyCondition, { minLength: 1, maxLength: 3 }),
        maxDurationMs: durationMs,
        claimWindowMs: durationMs,
        requireTicket: fc.boolean(),
        managedBy: fc.constantFrom("file", "api"),
      },
      {
        requiredKeys: [
          "id",
          "version",
          "name",
          "enabled",
          "priority",
          "effect",
          "conditions",
          "maxDurationMs",
          "claimWindowMs",
          "requireTicket",
          "managedBy",
        ],
      },
    ),
    limit,
  )
  .map(([policy, use]) => ({ ...policy, ...use }));
