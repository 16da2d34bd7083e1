import { sql } from "drizzle-orm";
import type { Rules } from "../../../core/policy/policy.ts";
import type { Db } from "../tables/database.ts";
import { placeholder } from "../tables/placeholders.ts";
import { rulebook } from "../tables/rulebook.ts";

/** Writes the one row of the rulebook. */
export function prepareRulebookWrites(db: Db) {
  const setRules = db
    .update(rulebook)
    .set({ rules: placeholder("rules", rulebook.rules), source: placeholder("source", rulebook.source) })
    .prepare();
  const setLockdown = db
    .update(rulebook)
    .set({ lockdown: placeholder("lockdown", rulebook.lockdown) })
    .prepare();
  const raiseVersion = db
    .update(rulebook)
    .set({ version: sql`${rulebook.version} + 1` })
    .prepare();
  return {
    setRules: (rules: Rules, source: "file" | "example"): void => void setRules.run({ rules, source }),
    setLockdown: (lockdown: boolean): void => void setLockdown.run({ lockdown }),
    /** Once per step, however many policies and rules it changes. */
    raiseVersion: (): void => void raiseVersion.run(),
  };
}
