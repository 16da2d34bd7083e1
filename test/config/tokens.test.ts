import { expect, test } from "vitest";
import { formatConfigProblem, readConfigFile } from "../../src/config/config-file.ts";
import { formatToken } from "../../src/core/values/token-format.ts";

test.each([
  ["a policy's name", `policies: [{ name: "x TOKEN", deny: true }]`, "1:14 policies.0.name"],
  [
    "a condition",
    `policies:\n  - name: p\n    deny: true\n    conditions: [{ type: REASON, operator: CONTAINS, value: TOKEN }]`,
    "4:54 policies.0.conditions.0.value",
  ],
  [
    "a person's name",
    `identities: [{ id: id_a, email: a@b.example, name: TOKEN }]`,
    "1:46 identities.0.name",
  ],
  [
    "the catalog",
    `catalog: [{ name: a, scopes: ["read:a"], description: TOKEN }]`,
    "1:42 catalog.0.description",
  ],
  ["a connector", `connectors: [{ name: a, url: "postgres://x:TOKEN@db/x" }]`, "1:25 connectors.0.url"],
  ["an unknown field", `colour: TOKEN`, "1:1 colour"],
])("a token in %s is refused by its place, and not repeated", (_, text, place) => {
  for (const kind of ["live", "jit"] as const) {
    const token = formatToken(kind, "z".repeat(30));
    const read = readConfigFile(text.replace("TOKEN", token), "jit.yaml", {});
    if (!("problems" in read)) throw new Error("it was taken");
    expect(read.problems.map(({ line, column, path }) => `${line}:${column} ${path}`)).toEqual([place]);
    expect(read.problems.map(formatConfigProblem).join()).not.toContain(token);
    expect(read.leaked?.join()).toContain(token);
  }
});

test("a token in a comment is refused by its line", () => {
  const token = formatToken("jit", "z".repeat(30));
  const read = readConfigFile(`# made for the tests\npolicies: [] # ${token}\n`, "jit.yaml", {});
  if (!("problems" in read)) throw new Error("it was taken");
  expect(read.problems.map(formatConfigProblem)).toEqual(["jit.yaml:2:1 holds a token: leave it out"]);
  expect(read.leaked?.join()).toContain(token);
});

test("a token in invalid YAML is revoked and not repeated", () => {
  const token = formatToken("live", "z".repeat(30));
  for (const text of [`a: !${token} x`, `a: *${token}`, `${token}: 1\n${token}: 2`, `a: "${token}`]) {
    const read = readConfigFile(text, "jit.yaml", {});
    if (!("problems" in read)) throw new Error("it was taken");
    expect(read.problems.map(formatConfigProblem).join()).not.toContain(token);
    expect(read.leaked?.join()).toContain(token);
  }
});
