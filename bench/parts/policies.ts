import { selectPolicy, matchingPolicies } from "../../src/core/policy/governing-policy.ts";
import type { SubmissionFacts } from "../../src/core/policy/conditions.ts";
import { indexPolicies } from "../../src/core/policy/policy-index.ts";
import type { Policy } from "../../src/core/policy/policy.ts";
import { hourMs } from "../../src/core/values/time.ts";
import { ids, noon, policyFixture, scope } from "../../test/support/fixtures.ts";
import type { Part, Row } from "../part.ts";
import { measureAlternately } from "../rounds.ts";

const choices = 40_000;

/**
 * Selects the governing policy for a scope among 10, 1,000 and 10,000, by the pure rules. The raw limit is the selection
 * among ten, because its cost must not grow with the number of policies.
 */
export const measurePolicies: Part = async () => {
  const rows: Row[] = [];
  const few = chooserAmong(10);
  rows.push(rowOf(10, await measureAlternately(9, few, few, 3)));
  rows.push(rowOf(1_000, await measureAlternately(9, chooserAmong(1_000), few, 3)));
  const most = rowOf(10_000, await measureAlternately(9, chooserAmong(10_000), few, 3));
  return [...rows, { ...most, expected: { atMost: 2 } }];
};

function rowOf(count: number, found: Omit<Row, "what" | "unit">): Row {
  return {
    what: `Choice among ${count.toLocaleString("en")} policies (raw: among 10)`,
    unit: "µs",
    ...found,
  };
}

/** Creates a measurement of one selection, in microseconds. */
function chooserAmong(count: number): () => number {
  const index = indexPolicies(Array.from({ length: count }, (_, number) => policyNumber(number)));
  const scopes = Array.from({ length: 500 }, (_, number) => scope(`read:team-${number % count}:orders-db`));
  const facts: SubmissionFacts = {
    subject: { id: ids.identity("dev"), kind: "HUMAN", groups: ["engineering"] },
    reason: "Orders are stuck",
    durationMs: hourMs,
    submittedAt: noon,
    history: { startedAt: () => [], deniedAt: [], requestedAt: [] },
  };
  return () => {
    const start = performance.now();
    for (let turn = 0; turn < choices; turn++) {
      const asked = scopes[turn % scopes.length];
      if (asked === undefined) throw new Error("there are scopes");
      const selection = selectPolicy(matchingPolicies(index, asked, facts, null), undefined, () => false);
      if (selection.kind !== "policy") throw new Error(`nothing governs ${asked}`);
    }
    return ((performance.now() - start) / choices) * 1_000;
  };
}

/** A policy for one team's resources: by prefix, by name, or by a list of names. */
function policyNumber(number: number): Policy {
  const about = `team-${number}:`;
  const name = `${about}orders-db`;
  const where = [
    { type: "RESOURCE", operator: "STARTS_WITH", value: about } as const,
    { type: "RESOURCE", operator: "EQUALS", value: name } as const,
    { type: "RESOURCE", operator: "IN", value: [name, `${about}billing-db`] } as const,
  ][number % 3];
  if (where === undefined) throw new Error("there are three kinds");
  return policyFixture(String(number), {
    conditions: [where, { type: "DURATION", operator: "LESS_THAN", valueMs: 4 * hourMs }],
  });
}
