import { assertPresent } from "../../../core/values/assert.ts";
import type { Reads } from "../../../service/ports/store.ts";
import type { ReadCache } from "../../shared/read-cache.ts";
import type { Db } from "../tables/database.ts";
import { rulebook } from "../tables/rulebook.ts";
import { preparePolicyReads } from "./policies.ts";

/** The policies and rules as last committed. */
export function createRulebookReads(
  db: Db,
  readCache: ReadCache,
): Pick<Reads, "rulebookVersion" | "rulebook" | "rulesSource"> {
  const versionOnly = db.select({ version: rulebook.version }).from(rulebook).prepare();
  const whole = db.select().from(rulebook).prepare();
  const policies = preparePolicyReads(db);
  // Every request asks whether the rules are still those that were read.
  const currentVersion = readCache.cached("rulebook", () => versionOnly.get());
  const row = () => assertPresent(whole.get(), "the rulebook's row");
  return {
    rulebookVersion: async () => assertPresent(currentVersion("version"), "the rulebook's row").version,
    rulebook: async () => {
      const { version, rules, lockdown } = row();
      return { version, policies: policies(), rules, lockdown };
    },
    rulesSource: async () => row().source ?? undefined,
  };
}
