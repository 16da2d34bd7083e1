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
  type SubmissionFacts,
} from "../../../src/core/policy/conditions.ts";
import { instant, makeId, type Scope } from "../../../src/core/values/ids.ts";
import { parseSelector } from "../../../src/core/values/identity.ts";
import type { ApprovalRule, Policy, PolicyEffect, StageRule } from "../../../src/core/policy/policy.ts";
import { parseScope } from "../../../src/core/values/scopes.ts";
import { dayMs, hourMs, parseInstant } from "../../../src/core/values/time.ts";
import { everyMember } from "../../support/every-member.ts";

export const scopeOf = (text: string): Scope => assertPresent(parseScope(text), `scope ${text}`);

/** A Monday, 12:30 in Berlin. */
export const mondayNoon = assertPresent(parseInstant("2024-01-15T11:30:00Z"), "instant");

export const facts = (more: Partial<SubmissionFacts> = {}): SubmissionFacts => ({
  subject: {
    id: makeId("identity", "dev"),
    kind: "HUMAN",
    groups: ["engineering", "oncall"],
    email: "dev@company.com",
  },
  reason: "Emergency production database access",
  durationMs: 4 * hourMs,
  submittedAt: mondayNoon,
  history: { startedAt: () => [], deniedAt: [], requestedAt: [] },
  ...more,
});

type PolicyDetails = Partial<Omit<Policy, "effect">>;

const policy = (name: string, effect: PolicyEffect, more: PolicyDetails): Policy => ({
  id: makeId("policy", name),
  version: 1,
  name,
  enabled: true,
  priority: 0,
  effect,
  conditions: [],
  maxDurationMs: 8 * hourMs,
  claimWindowMs: 8 * hourMs,
  requireTicket: false,
  managedBy: "api",
  ...more,
});

export const autoPolicy = (name: string, more: PolicyDetails = {}): Policy =>
  policy(name, { kind: "auto" }, more);

export const denyPolicy = (name: string, more: PolicyDetails = {}): Policy =>
  policy(name, { kind: "deny" }, more);

export const approvalPolicy = (
  name: string,
  approval: Partial<ApprovalRule> = {},
  more: PolicyDetails = {},
): Policy =>
  policy(
    name,
    {
      kind: "approval",
      approval: { windowMs: dayMs, channels: [], stages: [stageBy("group:dba")], ...approval },
    },
    more,
  );

/** `stageBy("group:dba manager", { required: 2 })` */
export const stageBy = (approvers: string, more: Partial<StageRule> = {}): StageRule => ({
  approvers: approvers.split(" ").map((text) => assertPresent(parseSelector(text), `selector ${text}`)),
  required: 1,
  remindersMs: [],
  escalateTo: [],
  ...more,
});

export const never: Condition = { anyOf: [] };
export const always: Condition = { not: never };
/** Unknown while no risk is set. */
export const unknown: Condition = { type: "RISK_SCORE", operator: "LESS_THAN", value: 30 };

export const anyScope = fc
  .tuple(
    fc.constantFrom("read", "write", "re"),
    fc.constantFrom("dev:a", "dev:b", "dev:", "prod:orders", "prod:orders-db", "p"),
  )
  .map(([action, resource]) => scopeOf(`${action}:${resource}`));

const someText = fc.constantFrom(
  "",
  "d",
  "dev:",
  "dev:a",
  "prod:",
  "prod:orders",
  "re",
  "read",
  "read:dev:a",
);
const textType = fc.constantFrom(...textConditionTypes);

/** Types of conditions that are in none of the lists. */
type OtherType = Exclude<
  LeafCondition["type"],
  TextConditionType | CountConditionType | MeasureConditionType
>;

const leaf: fc.Arbitrary<Condition> = fc.oneof(
  {
    weight: 2,
    arbitrary: fc.oneof(
      fc.record({ type: textType, operator: fc.constantFrom(...textOperators), value: someText }),
      fc.record({
        type: textType,
        operator: fc.constantFrom(...listOperators),
        value: fc.array(someText, { maxLength: 3 }),
      }),
    ),
  },
  {
    weight: 3,
    arbitrary: everyMember<OtherType | "NUMBER", Condition>({
      DURATION: fc.record({
        type: fc.constant("DURATION"),
        operator: fc.constantFrom(...numberOperators),
        valueMs: fc.constantFrom(hourMs, 4 * hourMs, dayMs),
      }),
      NUMBER: fc.record({
        type: fc.constantFrom(...measureConditionTypes, ...countConditionTypes),
        operator: fc.constantFrom(...numberOperators),
        value: fc.integer({ min: 0, max: 3 }),
      }),
      TIME: fc.record({
        type: fc.constant("TIME"),
        operator: fc.constantFrom("WITHIN", "OUTSIDE"),
        value: fc.record({
          days: fc.subarray([...weekdays]),
          from: fc.constantFrom("00:00", "12:30", "18:00"),
          to: fc.constantFrom("06:00", "12:30", "24:00"),
          timezone: fc.constantFrom("Europe/Berlin", "UTC"),
        }),
      }),
    }),
  },
);

export const anyCondition: fc.Arbitrary<Condition> = fc.letrec<{ condition: Condition }>((tie) => ({
  condition: fc.oneof(
    { maxDepth: 3, depthSize: "small" },
    leaf,
    fc.record({ anyOf: fc.array(tie("condition"), { maxLength: 3 }) }),
    fc.record({ not: tie("condition") }),
  ),
})).condition;

export const anyStage: fc.Arbitrary<StageRule> = fc
  .record({
    approvers: fc.constantFrom("group:dba", "group:sec", "manager", "group:dba group:sec"),
    required: fc.integer({ min: 1, max: 3 }),
    via: fc.constantFrom(undefined, ["slack"] as const, ["slack", "teams", "api"] as const),
  })
  .map(({ approvers, required, via }) =>
    stageBy(approvers, { required, ...(via !== undefined && { via: [...via] }) }),
  );

const anyEffect = everyMember<PolicyEffect["kind"], PolicyEffect>({
  auto: fc.constant({ kind: "auto" }),
  deny: fc.constant({ kind: "deny" }),
  approval: fc
    .array(anyStage, { minLength: 1, maxLength: 3 })
    .map((stages) => ({ kind: "approval", approval: { windowMs: dayMs, channels: [], stages } })),
});

/** Policies of every kind, with distinct names. */
export const anyPolicies: fc.Arbitrary<readonly Policy[]> = fc
  .array(
    fc.record({
      effect: anyEffect,
      priority: fc.integer({ min: 0, max: 2 }),
      enabled: fc.constantFrom(true, true, true, false),
      conditions: fc.array(anyCondition, { maxLength: 3 }),
    }),
    { maxLength: 12 },
  )
  .map((all) => all.map(({ effect, ...more }, place) => policy(`policy-${place}`, effect, more)));

export const anyRisk = fc.constantFrom(null, { score: 1, factors: [] }, { score: 50, factors: [] });

export const anyFacts: fc.Arbitrary<SubmissionFacts> = fc
  .record({
    ticket: fc.constantFrom(undefined, "", "dev:a"),
    durationMs: fc.constantFrom(hourMs, 4 * hourMs),
    minutesLater: fc.integer({ min: 0, max: 7 * 24 * 60 }),
    denials: fc.integer({ min: 0, max: 3 }),
  })
  .map(({ ticket, durationMs, minutesLater, denials }) =>
    facts({
      ...(ticket !== undefined && { ticket }),
      durationMs,
      submittedAt: instant(mondayNoon + minutesLater * 60_000),
      history: {
        startedAt: () => [],
        deniedAt: Array.from({ length: denials }, () => mondayNoon),
        requestedAt: [],
      },
    }),
  );
