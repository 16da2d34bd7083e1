import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseId } from "../../src/core/values/ids.ts";
import { emptyRules } from "../../src/core/policy/policy.ts";
import {
  formatConfigProblem,
  readConfigFile,
  type ConfigProblem,
  type Configuration,
} from "../../src/config/config-file.ts";
import { defaultPolicyId, policyIdOf } from "../../src/config/policy-id.ts";

function problemsOf(text: string, environment: Record<string, string> = {}): readonly ConfigProblem[] {
  const outcome = readConfigFile(text, "jit.yaml", environment);
  return "problems" in outcome ? outcome.problems : [];
}

function placesOf(text: string, environment: Record<string, string> = {}): string[] {
  return problemsOf(text, environment).map(({ line, column, path }) => `${line}:${column} ${path}`.trim());
}

function configurationOf(text: string): Configuration {
  const outcome = readConfigFile(text, "jit.yaml", {});
  if ("problems" in outcome) throw new Error(outcome.problems.map(formatConfigProblem).join("\n"));
  return outcome.ok;
}

test("an omitted section is empty", () => {
  expect(configurationOf("{}")).toEqual({
    identities: [],
    policies: [],
    rules: emptyRules,
    webhooks: [],
    connectors: [],
    unusableConnectors: new Map(),
  });
});

test("objects of the file are marked as managed by it, with stable policy ids", () => {
  const { identities, policies, rules } = configurationOf(`
identities: [{ id: id_a, email: A@b.example, name: A }]
policies: [{ name: No, deny: true }]
default: { approval: { stages: [{ approvers: [a@b.example] }] } }
`);
  expect(identities).toMatchObject([{ id: "id_a", email: "a@b.example", managedBy: "file" }]);
  expect(policies).toMatchObject([{ id: policyIdOf("No"), name: "No", managedBy: "file" }]);
  expect(rules.defaultPolicy).toMatchObject({ id: defaultPolicyId, name: "default", managedBy: "file" });
});

test("quoted, plain and flow forms of YAML 1.2 mean the same", () => {
  const plain = configurationOf("policies:\n  - name: no\n    deny: true\n");
  expect(configurationOf('{"policies": [{"name": "no", "deny": true}]}')).toEqual(plain);
  expect(configurationOf('%YAML 1.2\n---\npolicies: [{ name: "no", deny: true }]\n...\n')).toEqual(plain);
});

test("an unquoted time of day stays a time, and yes stays a text", () => {
  const when = "{ type: TIME, operator: WITHIN, value: { from: 09:30, to: 18:00, timezone: Etc/UTC } }";
  expect(
    configurationOf(`policies: [{ name: yes, deny: true, conditions: [${when}] }]`).policies[0],
  ).toMatchObject({
    name: "yes",
    conditions: [{ value: { from: "09:30" } }],
  });
});

test("anchors and aliases may be used", () => {
  const text = `
policies:
  - { name: a, approval: &two { stages: [{ approvers: [manager] }] } }
  - { name: b, approval: *two }
`;
  expect(configurationOf(text).policies.map((policy) => policy.effect.kind)).toEqual([
    "approval",
    "approval",
  ]);
});

/** A list of nine aliases of the same value. */
function row(name: string, of: string): string {
  return `${name}: &${name} [${Array.from({ length: 9 }, () => of).join(", ")}]`;
}

const brokenYaml: [string, string, string[]][] = [
  ["an empty file", "", ["1:1"]],
  ["comments alone", "# nothing\n", ["1:1"]],
  ["an open bracket", "policies: [\n", ["2:1"]],
  ["a tab as indentation", "limits:\n\tpendingPerIdentity: 1\n", ["2:1"]],
  ["a key twice", "limits: {}\nslack: {}\nlimits: {}\n", ["3:1"]],
  ["a second document", "limits: {}\n---\nslack: {}\n", ["2:1"]],
  ["a tag of somebody's", "limits: !mine {}\n", ["1:9"]],
  ["a set", "limits: !!set { a }\n", ["1:15"]],
  ["bytes", "policies:\n  - { name: !!binary aGk=, deny: true }\n", ["2:22"]],
  ["YAML 1.1", "%YAML 1.1\n---\nlimits: {}\n", ["1:1"]],
  ["an alias of nothing", "limits: *other\n", ["1:9"]],
  ["an alias of what is around it", "policies: &all [*all]\n", ["1:17"]],
  ["a key that is a list", "? [a]\n: b\n", ["1:3"]],
];

describe("anything but one plain YAML 1.2 document is refused with its line", () => {
  test.each(brokenYaml)("%s", (_name, text, places) => {
    expect(placesOf(text)).toEqual(places);
  });

  test("aliases that multiply", () => {
    const text = [row("a", "x"), row("b", "*a"), row("c", "*b"), row("d", "*c"), row("e", "*d")].join("\n");
    expect(problemsOf(text)).toHaveLength(1);
  });

  test("endless nesting", () => {
    expect(problemsOf(`risk: ${"[".repeat(200)}${"]".repeat(200)}`)).toHaveLength(1);
    expect(problemsOf(`risk: ${"[".repeat(20_000)}`).length).toBeGreaterThan(0);
    expect(problemsOf(`risk: ${"{not: ".repeat(1_000)}x${"}".repeat(1_000)}`).length).toBeGreaterThan(0);
  });
});

const wrongContent: [string, string, string[]][] = [
  ["a list as the whole", "- a\n", ["1:1"]],
  ["an unknown section", "limits: {}\npolicy: []\n", ["2:1 policy"]],
  ["a section without content", "limits: {}\npolicies:\n", ["2:1 policies"]],
  ["a field of the prototype", "__proto__: {}\n", ["1:1 __proto__"]],
  [
    "faults in different places, in the file's order",
    `
policies:
  - name: a
    deny: true
    conditions:
      - type: RESOURCE
        operator: LIKE
        value: "x"
  - name: b
identities:
  - { id: a, email: a@b.example, name: A }
`,
    ["7:9 policies.0.conditions.0.operator", "9:5 policies.1", "11:7 identities.0.id"],
  ],
  [
    "a fault behind an alias, where it was written",
    "x: 1\nrisk:\n  - &r { name: r, points: 1.5, when: [] }\n  - *r\n",
    ["1:1 x", "3:19 risk.0.points", "3:19 risk.1.points", "3:32 risk.0.when", "3:32 risk.1.when"],
  ],
];

describe("every problem has line, column and path", () => {
  test.each(wrongContent)("%s", (_name, text, places) => {
    expect(placesOf(text)).toEqual(places);
  });

  test("as one line for the log", () => {
    expect(problemsOf("nope: 1\n").map(formatConfigProblem)).toEqual([
      "jit.yaml:1:1 nope: is an unknown field",
    ]);
    expect(problemsOf("").map(formatConfigProblem)).toEqual([
      "jit.yaml:1:1 the file is empty; write {} for an empty configuration",
    ]);
  });
});

const people = (...entries: string[]): string =>
  ["identities:", ...entries.map((entry) => `  - { ${entry} }`), ""].join("\n");
const slackLink = "links: { slack: { teamId: T01, userId: U01 } }";
const teamsLink = (id: string): string => `links: { teams: { tenantId: t, aadObjectId: ${id} } }`;
const rule = "points: 1, when: [{ type: KIND, operator: EQUALS, value: HUMAN }]";

const contradictions: [string, string, string[]][] = [
  [
    "an id twice",
    people("id: id_a, email: a@b.example, name: A", "id: id_a, email: b@b.example, name: B"),
    ["3:7 identities.1.id"],
  ],
  [
    "an address twice, whatever its case",
    people("id: id_a, email: a@b.example, name: A", "id: id_b, name: B, email: A@B.example"),
    ["3:26 identities.1.email"],
  ],
  [
    "a Slack account twice",
    people(
      `id: id_a, email: a@b.example, name: A, ${slackLink}`,
      `id: id_b, email: b@b.example, name: B, ${slackLink}`,
    ),
    ["3:55 identities.1.links.slack"],
  ],
  [
    "a Teams account twice, whatever its case",
    people(
      `id: id_a, email: a@b.example, name: A, ${teamsLink("ab-1")}`,
      `id: id_b, email: b@b.example, name: B, ${teamsLink("AB-1")}`,
    ),
    ["3:55 identities.1.links.teams"],
  ],
  [
    "a manager who is not there",
    people("id: id_a, email: a@b.example, name: A, managerId: id_x"),
    ["2:46 identities.0.managerId"],
  ],
  [
    "a policy's name twice",
    "policies:\n  - { name: a, deny: true }\n  - { name: a, deny: true }\n",
    ["3:7 policies.1.name"],
  ],
  [
    "a policy with the default's name",
    "policies: [{ name: default, deny: true }]\ndefault: { approval: { stages: [{ approvers: [manager] }] } }\n",
    ["2:1 default.name"],
  ],
  [
    "a risk rule's name twice",
    `risk:\n  - { name: r, ${rule} }\n  - { name: r, ${rule} }\n`,
    ["3:7 risk.1.name"],
  ],
  [
    "a catalog entry's name twice",
    'catalog: [{ name: c, scopes: ["a:b"] }, { name: c, scopes: ["a:c"] }]\n',
    ["1:43 catalog.1.name"],
  ],
];

describe("a contradiction is refused at its position", () => {
  test.each(contradictions)("%s", (_name, text, places) => {
    expect(placesOf(text)).toEqual(places);
  });
});

describe("the id of a file's policy", () => {
  test("is an id, whatever the name, and the same each time", () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1, maxLength: 100, unit: "binary" }), (name) => {
        const id = policyIdOf(name);
        expect(parseId("policy", id)).toBe(id);
        expect(policyIdOf(name)).toBe(id);
        expect(id).not.toBe(defaultPolicyId);
      }),
    );
  });

  test("distinguishes names that look alike", () => {
    const names = [
      "Dev env",
      "dev env",
      "dev-env",
      "dev env ",
      "default",
      "Größe",
      "Grösse",
      "数据",
      "x".repeat(99),
    ];
    expect(new Set(names.map(policyIdOf)).size).toBe(names.length);
  });

  test("never changes, because grants and audit records refer to it", () => {
    expect(policyIdOf("dev-environment-auto-approve")).toBe("pol_dev-environment-auto-approve-2hcdg0evw2cz8");
  });
});

const line = fc.constantFrom(
  "identities:",
  "policies:",
  "  - name: a",
  "    deny: true",
  "    conditions: [{ anyOf: [{ not: {} }] }]",
  "default: { approval: { stages: [{}] } }",
  "risk: &a [*a]",
  "breakGlass: { review: *a }",
  "? !!set",
  "---",
  "%YAML 1.1",
  "\t- {",
  "webhooks: [{ secret: env:X }]",
);

test("invalid input is refused with positions, and nothing is thrown", () => {
  const junk = fc.oneof(
    fc.string({ maxLength: 200, unit: "binary" }),
    fc
      .array(fc.oneof(line, fc.string({ maxLength: 20 })), { maxLength: 12 })
      .map((lines) => lines.join("\n")),
    fc
      .object({ key: fc.constantFrom("identities", "policies", "risk", "conditions", "x") })
      .map((value) => JSON.stringify(value)),
  );
  fc.assert(
    fc.property(junk, (text) => {
      for (const problem of problemsOf(text)) {
        expect(problem.line).toBeGreaterThan(0);
        expect(problem.column).toBeGreaterThan(0);
        expect(problem.message).not.toBe("");
      }
    }),
    { numRuns: 500 },
  );
});
