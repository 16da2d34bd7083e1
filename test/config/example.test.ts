import { readFileSync } from "node:fs";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { assertPresent } from "../../src/core/values/assert.ts";
import type { SubmissionFacts } from "../../src/core/policy/conditions.ts";
import { matchingPolicies } from "../../src/core/policy/governing-policy.ts";
import { instant, makeId, type Scope } from "../../src/core/values/ids.ts";
import { indexPolicies } from "../../src/core/policy/policy-index.ts";
import { riskOf } from "../../src/core/policy/risk-score.ts";
import { parseScope } from "../../src/core/values/scopes.ts";
import { dayMs, hourMs, parseInstant } from "../../src/core/values/time.ts";
import { readConfigFile } from "../../src/config/config-file.ts";
import { configJsonSchema } from "../../src/config/config-json-schema.ts";

function read(file: string): string {
  return readFileSync(new URL(`../../${file}`, import.meta.url), "utf8");
}

const text = read("jit.example.yaml");
const outcome = readConfigFile(text, "jit.example.yaml", {});
const { identities, policies, rules } = assertPresent(
  "ok" in outcome ? outcome.ok : undefined,
  "the example",
);
const dev = assertPresent(
  identities.find((one) => one.id === "id_abc123"),
  "dev",
);

const scopeOf = (written: string): Scope => assertPresent(parseScope(written), written);
const never = { startedAt: () => [], deniedAt: [], requestedAt: [] };

function factsOf(more: Partial<SubmissionFacts>): SubmissionFacts {
  return {
    subject: dev,
    reason: "Emergency production database access",
    durationMs: 4 * hourMs,
    submittedAt: instant(1_705_314_600_000),
    history: never,
    ...more,
  };
}

const index = indexPolicies(policies.map((policy) => ({ ...policy, version: 1 })));

/** Names of the matching policies, the governing one first. */
function holdersFor(scope: Scope, facts: SubmissionFacts): string[] {
  return matchingPolicies(index, scope, facts, riskOf(rules.risk, [scope], facts)).map(
    (policy) => policy.name,
  );
}

test("the example is read without problems", () => {
  expect(outcome).not.toHaveProperty("problems");
});

test("editors are pointed at the schema", () => {
  expect(text.split("\n")[0]).toBe("# yaml-language-server: $schema=./jit.schema.json");
});

test("the shipped JSON Schema is that of the code (npm run schema)", () => {
  expect(JSON.parse(read("jit.schema.json"))).toEqual(JSON.parse(JSON.stringify(configJsonSchema())));
});

describe("the first documented example works as printed", () => {
  test.each(["read:database", "write:database"])("only the default governs %s for 4h", (written) => {
    expect(holdersFor(scopeOf(written), factsOf({}))).toEqual([]);
    expect(assertPresent(rules.defaultPolicy, "default").maxDurationMs).toBeGreaterThanOrEqual(4 * hourMs);
  });

  test("and asks security@company.com only, who exists", () => {
    expect(rules.defaultPolicy?.effect).toMatchObject({
      kind: "approval",
      approval: { stages: [{ approvers: [{ kind: "email", email: "security@company.com" }], required: 1 }] },
    });
    expect(identities.filter((one) => one.email === "security@company.com")).toMatchObject([
      { kind: "HUMAN" },
    ]);
  });
});

describe("the second documented example works as printed", () => {
  const scope = scopeOf("read:dev:orders-db");

  test("short reading of development is approved at any hour, also as the very first request", () => {
    const start = assertPresent(parseInstant("2024-01-01T00:00:00Z"), "start");
    fc.assert(
      fc.property(fc.nat({ max: 366 * dayMs }), (offset) => {
        const facts = factsOf({ durationMs: hourMs, submittedAt: instant(start + offset) });
        expect(riskOf(rules.risk, [scope], facts)?.score).toBeLessThan(30);
        expect(holdersFor(scope, facts)).toEqual([
          "dev-environment-auto-approve",
          "dev-environment-by-people",
        ]);
      }),
    );
  });

  test("anything longer or riskier needs approval", () => {
    expect(holdersFor(scope, factsOf({ durationMs: 2 * hourMs }))).toEqual(["dev-environment-by-people"]);
    const night = factsOf({
      durationMs: hourMs,
      submittedAt: assertPresent(parseInstant("2024-01-15T01:00:00Z"), "night"),
    });
    expect(holdersFor(scopeOf("write:dev:orders-db"), night)).toEqual(["dev-environment-by-people"]);
  });
});

describe("production is guarded", () => {
  test.each([
    ["read:prod:orders-db", "production-read"],
    ["write:prod:orders-db", "production-change"],
    ["delete:audit:log", "audit-data-is-never-changed"],
  ])("%s by %s", (written, policy) => {
    expect(holdersFor(scopeOf(written), factsOf({}))).toEqual([policy]);
  });

  test("against programs, except the deployment", () => {
    const subject = { id: makeId("identity", "robot"), kind: "SERVICE", groups: [] } as const;
    const deploy = assertPresent(
      identities.find((one) => one.id === "id_deploy"),
      "deploy",
    );
    const scope = scopeOf("read:prod:orders-db");
    expect(holdersFor(scope, factsOf({ subject }))).toEqual(["no-programs-in-production"]);
    expect(holdersFor(scope, factsOf({ subject: deploy }))).toEqual(["production-read"]);
  });
});

describe("unusual requests are riskier", () => {
  const at = instant(1_705_314_600_000);
  const cases: [string, string, Partial<SubmissionFacts>, string][] = [
    ["production", "read:prod:orders-db", {}, "production"],
    ["deleting", "delete:dev:orders-db", {}, "write, admin or delete"],
    ["a long time", "read:dev:orders-db", { durationMs: 5 * hourMs }, "long duration"],
    ["the weekend", "read:dev:x", { submittedAt: instant(at - 2 * dayMs) }, "outside working hours"],
    ["the first time", "read:dev:x", {}, "first access"],
    [
      "after a denial",
      "read:dev:x",
      { history: { ...never, deniedAt: [instant(at - hourMs)] } },
      "recent denial",
    ],
    [
      "many requests",
      "read:dev:x",
      { history: { ...never, requestedAt: Array.from({ length: 21 }, () => instant(at - 1)) } },
      "burst of requests",
    ],
  ];

  test.each(cases)("%s", (_name, written, more, rule) => {
    const risk = riskOf(rules.risk, [scopeOf(written)], factsOf({ submittedAt: at, ...more }));
    expect(risk?.factors.map((factor) => factor.name)).toContain(rule);
  });
});

test("everybody the policies name by address, id or group exists", () => {
  const named = [...text.matchAll(/"(group|identity):([^"]+)"|\[([a-z-]+@company\.com)\]/g)];
  const known = new Set(identities.flatMap((one) => [one.id, one.email ?? "", ...one.groups]));
  expect(named.length).toBeGreaterThan(5);
  expect(
    named.map(([, , name, address]) => name ?? address ?? "").filter((name) => !known.has(name)),
  ).toEqual([]);
});

test("every feature is shown", () => {
  const kinds = policies.map((policy) => policy.effect.kind);
  expect(new Set(kinds)).toEqual(new Set(["auto", "approval", "deny"]));
  for (const word of [
    "escalateTo",
    "reminders",
    "via",
    "usagePeriod",
    "requireTicket",
    "TIME",
    "anyOf",
    "not",
  ]) {
    expect(text).toContain(`${word}:`.replace("TIME:", "type: TIME"));
  }
  expect(rules.breakGlass.allowed).toEqual([{ kind: "group", group: "oncall" }]);
  expect(rules.catalog.length).toBeGreaterThan(0);
});
