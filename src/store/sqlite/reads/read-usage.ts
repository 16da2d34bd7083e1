import type { Instant } from "../../../core/values/ids.ts";
import { and, count, eq, gt } from "drizzle-orm";
import { counters, counterUses } from "../tables/schema.ts";
import { prepareRead } from "../tables/prepare-read.ts";
import { placeholder, type Tables } from "../tables/placeholders.ts";

/** How often something was used: for ever, or since an instant. Also for reading outside a step. */
export function prepareUsage(tables: Tables) {
  const key = placeholder("key", counters.key);
  const statements = {
    ever: prepareRead(tables, [counters.used], (selected) =>
      selected.from(counters).where(eq(counters.key, key)),
    ),
    since: tables
      .select({ used: count() })
      .from(counterUses)
      .where(and(eq(counterUses.key, key), gt(counterUses.at, placeholder("since", counterUses.at))))
      .prepare(),
  };
  return {
    /** `since` is not included. */
    used: (counter: string, since?: Instant): number => {
      if (since !== undefined) return statements.since.get({ key: counter, since })?.used ?? 0;
      const [used] = statements.ever.get(counter) ?? [0];
      return used;
    },
  };
}
