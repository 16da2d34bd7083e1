import { asc } from "drizzle-orm";
import type { Policy } from "../../../core/policy/policy.ts";
import type { Db } from "../tables/database.ts";
import { policies } from "../tables/policies.ts";

/** @returns every policy, in order of creation. */
export function preparePolicyReads(db: Db): () => readonly Policy[] {
  const { value, ord } = policies;
  const statement = db.select({ value }).from(policies).orderBy(asc(ord)).prepare();
  return () => statement.all().map((row) => row.value);
}
