import { expect, test } from "vitest";
import type { Condition } from "../../src/core/policy/conditions.ts";
import type { RiskRule } from "../../src/core/policy/policy.ts";
import { riskOf } from "../../src/core/policy/risk-score.ts";
import { always, facts, never, scopeOf, unknown } from "./support/policies.ts";

const rule = (name: string, points: number, ...when: readonly Condition[]): RiskRule => ({
  name,
  points,
  when,
});
const onProduction: Condition = { type: "RESOURCE", operator: "STARTS_WITH", value: "prod:" };
const onWriting: Condition = { type: "ACTION", operator: "EQUALS", value: "write" };
const scopes = [scopeOf("read:prod:orders"), scopeOf("write:dev:a"), scopeOf("read:prod:users")];

test("without rules the risk is unknown, not 0", () => {
  expect(riskOf([], scopes, facts())).toBeNull();
});

test("the risk is 0 when no rule holds", () => {
  expect(riskOf([rule("none", 40, never)], scopes, facts())).toEqual({ score: 0, factors: [] });
});

test("a rule counts once, for however many scopes it holds; factors keep the order of the rules", () => {
  const rules = [
    rule("writing", 10, onWriting),
    rule("none", 50, never),
    rule("production", 40, onProduction),
  ];
  expect(riskOf(rules, scopes, facts())).toEqual({
    score: 50,
    factors: [
      { name: "writing", points: 10 },
      { name: "production", points: 40 },
    ],
  });
});

test("conditions of one rule must hold for the same scope", () => {
  expect(riskOf([rule("writes production", 40, onProduction, onWriting)], scopes, facts())?.score).toBe(0);
});

test("an unknown rule counts, which is the safe side", () => {
  expect(riskOf([rule("about itself", 25, unknown)], scopes, facts())?.score).toBe(25);
});

test("the score stays between 0 and 100, and the factors list everything", () => {
  const high = riskOf([rule("a", 70, always), rule("b", 70, always)], scopes, facts());
  expect(high).toEqual({
    score: 100,
    factors: [
      { name: "a", points: 70 },
      { name: "b", points: 70 },
    ],
  });
  expect(riskOf([rule("trusted", -20, always)], scopes, facts())?.score).toBe(0);
});

test("negative points count before the score is limited, not after", () => {
  const rules = [rule("a", 90, always), rule("b", 30, always), rule("trusted", -30, always)];
  expect(riskOf(rules, scopes, facts())?.score).toBe(90);
});
