import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { condition, denied, identities, warningsOf } from "./support/config-warnings.ts";

const shipped = resolve(import.meta.dirname, "../..");

test("the shipped example has none", () => {
  expect(warningsOf(readFileSync(resolve(shipped, "jit.example.yaml"), "utf8"))).toEqual([]);
});

describe("an unknown name in a condition", () => {
  test.each([
    ["EQUALS", "contractor"],
    ["NOT_EQUALS", "contractor"],
    ["STARTS_WITH", "externals"],
    ["ENDS_WITH", "nobody"],
    ["CONTAINS", "zzz"],
  ])("a group, by %s", (operator, value) => {
    expect(denied(condition("GROUP", operator, value))).toEqual([
      expect.stringMatching(
        `^policies.0.conditions.0.value: GROUP ${operator} ${value}: nobody is in such a group`,
      ),
    ]);
  });

  test.each(["IN", "NOT_IN"])("one group of a list, by %s", (operator) => {
    expect(denied(condition("GROUP", operator, ["dba", "contractor"]))).toEqual([
      expect.stringMatching(/^policies\.0\.conditions\.0\.value\.1: /),
    ]);
  });

  test("wherever the condition is: in anyOf and not, in risk rules and break-glass", () => {
    const typo = condition("GROUP", "EQUALS", "contractor");
    expect(denied({ anyOf: [condition("GROUP", "EQUALS", "dba"), { not: typo }] })).toEqual([
      expect.stringMatching(/^policies\.0\.conditions\.0\.anyOf\.1\.not\.value: /),
    ]);
    const rest = warningsOf({
      identities,
      risk: [{ name: "r", points: 9, when: [typo] }],
      breakGlass: { allowed: ["group:dba"], review: { by: ["group:dba"] }, conditions: [typo] },
    });
    expect(rest.map((one) => one.split(":")[0])).toEqual([
      "risk.0.when.0.value",
      "breakGlass.conditions.0.value",
    ]);
  });

  test.each([
    ["IDENTITY", "EQUALS", "id_nobody", "there is nobody by this id or address"],
    ["IDENTITY", "NOT_EQUALS", "dave@company.com", "there is nobody by this id or address"],
    ["KIND", "EQUALS", "human", "a kind is HUMAN or SERVICE"],
    ["ACTION", "EQUALS", "Read", "no action can be called that"],
    ["ACTION", "EQUALS", "read:prod", "an action has no colon"],
    ["ACTION", "STARTS_WITH", "read:", "an action has no colon"],
    ["RESOURCE", "EQUALS", "read:prod:db", 'it begins with the action "read"'],
    ["RESOURCE", "STARTS_WITH", "export:prod:", 'it begins with the action "export"'],
    ["RESOURCE", "NOT_EQUALS", "write:prod:db", 'it begins with the action "write"'],
    ["RESOURCE", "EQUALS", "prod:*", "resources are compared exactly and there are no wildcards"],
    ["RESOURCE", "EQUALS", "prod db", "no resource can be called that"],
    ["SCOPE", "EQUALS", "orders-db", "a scope is action:resource"],
    ["SCOPE", "STARTS_WITH", "READ:prod", "no scope has such an action"],
  ])("%s %s %s", (type, operator, value, why) => {
    expect(denied(condition(type, operator, value))).toEqual([
      expect.stringContaining(`policies.0.conditions.0.value: ${type} ${operator} ${value}: ${why}`),
    ]);
  });

  test.each([
    ["GROUP", "DBA", '"dba" is known'],
    ["GROUP", "Contractors ", '"contractors" is known'],
    ["GROUP", "con\u200Btractors", '"contractors" is known'],
    ["IDENTITY", "ID_ANN", '"id_ann" is known'],
    ["RESOURCE", "Prod:orders-db", '"prod:orders-db" is known'],
  ])("a %s that is written in another way, %j", (type, value, hint) => {
    expect(denied(condition(type, "EQUALS", value)).join()).toContain(hint);
  });

  test.each([
    condition("GROUP", "EQUALS", "contractors"),
    condition("GROUP", "STARTS_WITH", "contr"),
    condition("GROUP", "MATCHES", "^never"),
    condition("IDENTITY", "EQUALS", "DEV@Company.com"),
    condition("IDENTITY", "ENDS_WITH", "@elsewhere.com"),
    condition("IDENTITY", "EQUALS", "id_dev"),
    condition("KIND", "NOT_EQUALS", "SERVICE"),
    condition("RESOURCE", "STARTS_WITH", "dev:"),
    condition("RESOURCE", "EQUALS", "readonly:x"),
    condition("RESOURCE", "CONTAINS", "read:"),
    condition("ACTION", "EQUALS", "anything"),
    condition("SCOPE", "STARTS_WITH", "read:"),
    condition("SCOPE", "CONTAINS", ":prod"),
    condition("REASON", "CONTAINS", "whatever: it *says*"),
  ])("not %j", (one) => {
    expect(denied(one)).toEqual([]);
  });

  test("not in a disabled policy", () => {
    const policies = [
      { name: "no", deny: true, enabled: false, conditions: [condition("GROUP", "EQUALS", "typo")] },
    ];
    expect(warningsOf({ identities, policies })).toEqual([]);
  });
});

describe("groups that look alike", () => {
  test.each([
    ["DBA", "case"],
    ["d\u200Bba", "invisible character"],
    ["ｄｂａ", "width"],
  ])("%j is not dba", (group) => {
    const people = [...identities, { id: "id_x", email: "x@company.com", name: "X", groups: [group] }];
    const found = warningsOf({ identities: people });
    expect(found[0]).toMatch(/^identities\.3\.groups\.0: ".+" is another group than "dba"/u);
  });

  test("composed and decomposed letters", () => {
    const people = ["é", "e\u0301"].map((group, place) => ({
      id: `id_${place}`,
      email: `p${place}@company.com`,
      name: "P",
      groups: [group],
    }));
    expect(warningsOf({ identities: people })).toEqual([expect.stringContaining("identities.1.groups.0: ")]);
  });

  test("a selector without a match names the similar group", () => {
    const policies = [{ name: "p", approval: { stages: [{ approvers: ["group:Dba"] }] } }];
    expect(warningsOf({ identities, policies })).toEqual([
      'policies.0.approval.stages.0.approvers.0: group:Dba means nobody: no active person is in this group; "dba" is known, and names are compared exactly',
    ]);
  });
});
