import { assert } from "../../../core/values/assert.ts";
import type { PolicyId } from "../../../core/values/ids.ts";
import type { Policy, Rules } from "../../../core/policy/policy.ts";
import { eq, sql } from "drizzle-orm";
import { policies, rulebook } from "../tables/schema.ts";
import { prepareWrite } from "../tables/prepare-write.ts";
import { placeholder, type Tables } from "../tables/placeholders.ts";

/** Writes what decides. Its version is raised once per step, by the caller. */
export function prepareRulebookWrites(tables: Tables) {
  const id = placeholder("id", policies.id);
  const value = placeholder("value", policies.value);
  const statements = {
    put: prepareWrite(
      tables,
      tables
        .insert(policies)
        .values({ id, value })
        .onConflictDoUpdate({ target: policies.id, set: { value } }),
    ),
    drop: prepareWrite(tables, tables.delete(policies).where(eq(policies.id, id))),
    rules: prepareWrite(
      tables,
      tables
        .update(rulebook)
        .set({ rules: placeholder("rules", rulebook.rules), source: placeholder("source", rulebook.source) }),
    ),
    lockdown: prepareWrite(
      tables,
      tables.update(rulebook).set({ lockdown: placeholder("on", rulebook.lockdown) }),
    ),
    raise: prepareWrite(tables, tables.update(rulebook).set({ version: sql`${rulebook.version} + 1` })),
  };
  return {
    policy: (policy: Policy): undefined => {
      statements.put.run({ id: policy.id, value: policy });
    },
    policyDeleted: (policyId: PolicyId): undefined => {
      assert(
        statements.drop.run({ id: policyId }).changes === 1,
        `the policy ${policyId} is there to be deleted`,
      );
    },
    rules: (rules: Rules, source: "file" | "example"): undefined => {
      statements.rules.run({ rules, source });
    },
    lockdown: (on: boolean): undefined => {
      statements.lockdown.run({ on });
    },
    raiseVersion: (): void => void statements.raise.run(),
  };
}
