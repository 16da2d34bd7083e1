import { present } from "../core/assert.ts";
import type { Reads } from "../service/ports.ts";
import { asc } from "./drizzle.ts";
import { reading } from "./faults.ts";
import { policies, rulebook } from "./schema.ts";
import type { Tables } from "./tables.ts";

/** What decides, as of now. Policies come in the order they were made. */
export function createRulebookReads(
  tables: Tables,
): Pick<Reads, "rulebookVersion" | "rulebook" | "rulesSource"> {
  const version = tables.select({ version: rulebook.version }).from(rulebook).prepare();
  const all = tables.select().from(rulebook).prepare();
  const listed = tables.select({ value: policies.value }).from(policies).orderBy(asc(policies.ord)).prepare();
  const row = () => present(all.get(), "the rulebook's row");
  return {
    rulebookVersion: async () => reading(() => present(version.get(), "the rulebook's row").version),
    rulebook: async () =>
      reading(() => {
        const { version: current, rules, lockdown } = row();
        return { version: current, policies: listed.all().map((one) => one.value), rules, lockdown };
      }),
    rulesSource: async () => reading(() => row().source ?? undefined),
  };
}
