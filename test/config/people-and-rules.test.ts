import { describe, expect, expectTypeOf, test } from "vitest";
import type { z } from "zod";
import type { Identity } from "../../src/core/values/identity.ts";
import {
  emptyRules,
  type BreakGlassRule,
  type CatalogEntry,
  type RiskRule,
  type Rules,
} from "../../src/core/policy/policy.ts";
import { dayMs, hourMs } from "../../src/core/values/time.ts";
import { fieldProblems } from "../../src/config/schemas/field-problems.ts";
import { identityChange, identityContent, newIdentity } from "../../src/config/schemas/identity.ts";
import {
  breakGlass,
  catalogEntry,
  chatRoles,
  limits,
  riskRule,
  slack,
} from "../../src/config/schemas/rules.ts";

const person = { id: "id_abc123", email: "dev@company.com", name: "Dev" };
const notRead = { type: "ACTION", operator: "NOT_EQUALS", value: "read" };
const risky = { type: "RISK_SCORE", operator: "LESS_THAN", value: 1 };

function problemPaths(schema: z.ZodType, written: unknown): string[] {
  const outcome = schema.safeParse(written);
  return outcome.success ? [] : fieldProblems(outcome.error, written).map((problem) => problem.path);
}

test("a complete identity is read", () => {
  const written = {
    ...person,
    groups: ["engineering"],
    managerId: "id_lead",
    links: {
      slack: { teamId: "T0123", userId: "U0123" },
      teams: { tenantId: "AAAA-1", aadObjectId: "bbbb-2" },
    },
  };
  expect(identityContent.parse(written)).toEqual({
    ...written,
    kind: "HUMAN",
    links: { ...written.links, teams: { tenantId: "aaaa-1", aadObjectId: "bbbb-2" } },
  });
});

test("a minimal identity is a human without groups and links", () => {
  expect(identityContent.parse(person)).toEqual({ ...person, kind: "HUMAN", groups: [], links: {} });
});

test("a program needs no address", () => {
  expect(identityContent.parse({ id: "id_ci", kind: "SERVICE", name: "CI" })).not.toHaveProperty("email");
});

const refusedPeople: [string, z.ZodType, unknown, string[]][] = [
  ["a human without address", identityContent, { id: "id_a", name: "A" }, ["email"]],
  ["no id in the file", identityContent, { email: "a@b.example", name: "A" }, ["id"]],
  ["the built-in id", identityContent, { ...person, id: "id_admin" }, ["id"]],
  ["the built-in id over the API", newIdentity, { ...person, id: "id_admin" }, ["id"]],
  ["somebody as their own manager", identityContent, { ...person, managerId: person.id }, ["managerId"]],
  ["a group twice", identityContent, { ...person, groups: ["a", "a"] }, ["groups.1"]],
  ["the switch in the file", identityContent, { ...person, active: false }, ["active"]],
  ["an unknown kind", identityContent, { ...person, kind: "ROBOT" }, ["kind"]],
  [
    "half a link",
    identityContent,
    { ...person, links: { slack: { teamId: "T0123" } } },
    ["links.slack.userId"],
  ],
  [
    "a link's parts exchanged",
    identityContent,
    { ...person, links: { slack: { teamId: "U0123", userId: "T0123" } } },
    ["links.slack.teamId", "links.slack.userId"],
  ],
  ["an unknown platform", identityContent, { ...person, links: { irc: {} } }, ["links.irc"]],
  ["another's id in a change", identityChange, { id: "id_b" }, ["id"]],
  ["a nameless change", identityChange, { name: null }, ["name"]],
];

describe("an invalid identity is refused with its path", () => {
  test.each(refusedPeople)("%s", (_name, schema, written, paths) => {
    expect(problemPaths(schema, written)).toEqual(paths);
  });
});

test("a new identity may omit its id and is active", () => {
  expect(newIdentity.parse({ email: "a@b.example", name: "A" })).toMatchObject({
    active: true,
    kind: "HUMAN",
  });
});

test("a change sets only its own fields, and null removes a value", () => {
  expect(identityChange.parse({})).toEqual({});
  expect(identityChange.parse({ managerId: null, active: false })).toEqual({
    managerId: null,
    active: false,
  });
});

test("minimal break-glass rules have the documented defaults", () => {
  expect(breakGlass.parse({ allowed: ["group:oncall"] })).toEqual({
    allowed: [{ kind: "group", group: "oncall" }],
    conditions: [],
    maxDurationMs: hourMs,
    limit: { max: 2, perMs: 7 * dayMs },
    review: {
      by: [{ kind: "group", group: "security" }],
      dueMs: dayMs,
      overdue: "refuse",
      lockoutMs: 30 * dayMs,
    },
    notify: [],
  });
});

test("empty sections are the core's empty rules", () => {
  expect(limits.parse({})).toEqual(emptyRules.limits);
  expect(chatRoles.parse({})).toEqual(emptyRules.chatRoles);
  expect(slack.parse({}).trustUserGroups).toBe(emptyRules.trustSlackUserGroups);
});

const refusedRules: [string, z.ZodType, unknown, string[]][] = [
  ["risk about the risk", riskRule, { name: "r", points: 1, when: [risky] }, ["when.0.type"]],
  [
    "risk about the risk, hidden",
    riskRule,
    { name: "r", points: 1, when: [{ anyOf: [notRead, { not: risky }] }] },
    ["when.0.anyOf.1.not.type"],
  ],
  ["a rule that always holds", riskRule, { name: "r", points: 1, when: [] }, ["when"]],
  ["half a point", riskRule, { name: "r", points: 0.5, when: [notRead] }, ["points"]],
  ["too many points", riskRule, { name: "r", points: 101, when: [notRead] }, ["points"]],
  ["too few points", riskRule, { name: "r", points: -101, when: [notRead] }, ["points"]],
  ["a catalog entry without scopes", catalogEntry, { name: "c", scopes: [] }, ["scopes"]],
  ["a bad scope", catalogEntry, { name: "c", scopes: ["read:*"] }, ["scopes.0"]],
  ["no room at all", limits, { pendingPerIdentity: 0 }, ["pendingPerIdentity"]],
  ["an unknown role", chatRoles, { approver: ["group:a"] }, ["approver"]],
  ["nobody's manager as admin", chatRoles, { admin: ["manager"] }, ["admin.0"]],
  ["nobody's manager in an emergency", breakGlass, { allowed: ["manager"] }, ["allowed.0"]],
  ["nobody to review", breakGlass, { review: { by: [] } }, ["review.by"]],
  ["an unknown consequence", breakGlass, { review: { overdue: "forgive" } }, ["review.overdue"]],
  ["no use", breakGlass, { limit: { max: 0 } }, ["limit.max"]],
  ["an unknown field", breakGlass, { limit: { per: "7d", each: 1 } }, ["limit.each"]],
];

describe("an invalid rule is refused with its path", () => {
  test.each(refusedRules)("%s", (_name, schema, written, paths) => {
    expect(problemPaths(schema, written)).toEqual(paths);
  });
});

test("the schemas' output has the core's types", () => {
  expectTypeOf<z.output<typeof identityContent>>().toEqualTypeOf<
    Omit<Identity, "managedBy" | "listed" | "enabled">
  >();
  expectTypeOf<z.output<typeof riskRule>>().toEqualTypeOf<RiskRule>();
  expectTypeOf<z.output<typeof catalogEntry>>().toEqualTypeOf<CatalogEntry>();
  expectTypeOf<z.output<typeof breakGlass>>().toEqualTypeOf<BreakGlassRule>();
  expectTypeOf<z.output<typeof limits>>().toEqualTypeOf<Rules["limits"]>();
  expectTypeOf<z.output<typeof chatRoles>>().toEqualTypeOf<Rules["chatRoles"]>();
});
