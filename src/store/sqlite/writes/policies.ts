import { eq, sql } from "drizzle-orm";
import type { Policy } from "../../../core/policy/policy.ts";
import { assert } from "../../../core/values/assert.ts";
import type { PolicyId } from "../../../core/values/ids.ts";
import type { Db } from "../tables/database.ts";
import { placeholdersFor, type NewRow } from "../tables/placeholders.ts";
import { policies } from "../tables/policies.ts";

export function preparePolicyWrites(db: Db) {
  const { id, ...changing } = placeholdersFor(policies);
  const put = db
    .insert(policies)
    .values({ id, ...changing })
    .onConflictDoUpdate({ target: policies.id, set: changing })
    .prepare();
  const remove = db
    .delete(policies)
    .where(eq(policies.id, sql.placeholder("id")))
    .prepare();
  return {
    put: (policy: Policy): void => {
      put.run({ id: policy.id, value: policy } satisfies NewRow<typeof policies>);
    },
    remove: (policyId: PolicyId): void => {
      assert(remove.run({ id: policyId }).changes === 1, `the policy ${policyId} exists`);
    },
  };
}
