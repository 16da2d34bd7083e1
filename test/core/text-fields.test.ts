import { expect, test } from "vitest";
import {
  listOperators,
  textOperators,
  type Condition,
  type TextCondition,
} from "../../src/core/policy/conditions.ts";
import { evaluateConditions } from "../../src/core/policy/evaluate-conditions.ts";
import { textFields } from "../../src/core/policy/text-fields.ts";
import { facts, scopeOf } from "./support/policies.ts";

const scope = scopeOf("read:prod:orders-db");
const mixedCaseFacts = facts({
  ticket: "Ops-17",
  reason: "Restore Orders",
  subject: { ...facts().subject, groups: ["OnCall"], email: "Dev@Company.com" },
});
const swapCase = (value: string): string =>
  value.replaceAll(/\p{L}/gu, (letter) =>
    letter === letter.toLowerCase() ? letter.toUpperCase() : letter.toLowerCase(),
  );
const operators: readonly TextCondition["operator"][] = [...textOperators, ...listOperators];
const negativeOperators = new Set<string>(["NOT_EQUALS", "NOT_IN"]);
const valueOf = (operator: TextCondition["operator"], whole: string): string | readonly string[] => {
  if (operator === "IN" || operator === "NOT_IN") return ["zz", whole];
  if (operator === "STARTS_WITH") return whole.slice(0, -1);
  if (operator === "ENDS_WITH") return whole.slice(1);
  return operator === "CONTAINS" ? whole.slice(1, -1) : whole;
};
const rows = Object.entries(textFields).flatMap(([type, fields]) =>
  fields.flatMap(({ ignoresCase, texts }) => {
    const [whole = ""] = texts({ scope, facts: mixedCaseFacts });
    return operators.flatMap((operator) =>
      [whole, swapCase(whole)].map((written) => {
        const isFound = ignoresCase || written === whole;
        const expected = isFound === negativeOperators.has(operator) ? "false" : "true";
        return [{ type, operator, value: valueOf(operator, written) } as Condition, expected] as const;
      }),
    );
  }),
);
test.each(rows)("every operator follows the field's case rule: %j is %s", (condition, expected) => {
  expect(evaluateConditions([condition], scope, mixedCaseFacts, null).truth).toBe(expected);
});

test("addresses ignore case, and nothing else does", () => {
  const caseless = Object.entries(textFields).filter(([, fields]) =>
    fields.some(({ ignoresCase }) => ignoresCase),
  );
  expect(caseless.map(([type]) => type)).toEqual(["IDENTITY"]);
});
