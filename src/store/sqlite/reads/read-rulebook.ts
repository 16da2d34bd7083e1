import { assertPresent } from "../../../core/values/assert.ts";
import type { Reads } from "../../../service/ports/store.ts";
import { asc } from "drizzle-orm";
import { translateErrors } from "../tables/sqlite-faults.ts";
import { policies, rulebook } from "../tables/schema.ts";
import type { ReadCache } from "../../shared/read-cache.ts";
import type { Tables } from "../tables/placeholders.ts";

/** What decides, as of now. Policies come in the order they were made. */
export function createRulebookReads(
  tables: Tables,
  readCache: ReadCache,
): Pick<Reads, "rulebookVersion" | "rulebook" | "rulesSource"> {
  const version = tables.select({ version: rulebook.version }).from(rulebook).prepare();
  const all = tables.select().from(rulebook).prepare();
  const listed = tables.select({ value: policies.value }).from(policies).orderBy(asc(policies.ord)).prepare();
  // Asked at every request, to see whether the rules are still those that were read.
  const current = readCache.cached("rulebook", () => version.get());
  const row = () => assertPresent(all.get(), "the rulebook's row");
  return {
    rulebookVersion: async () =>
      translateErrors(() => assertPresent(current("version"), "the rulebook's row").version),
    rulebook: async () =>
      translateErrors(() => {
        const { version: number, rules, lockdown } = row();
        return { version: number, policies: listed.all().map((one) => one.value), rules, lockdown };
      }),
    rulesSource: async () => translateErrors(() => row().source ?? undefined),
  };
}
