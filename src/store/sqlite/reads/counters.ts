import { and, count, eq, gt, sql } from "drizzle-orm";
import type { Instant } from "../../../core/values/ids.ts";
import { plus } from "../../../core/values/time.ts";
import type { Reads } from "../../../service/ports/store.ts";
import { counters, counterUses } from "../tables/counters.ts";
import type { Db } from "../tables/database.ts";

/** Counts the grants whose row says ACTIVE, because counting a million rows takes long. */
export const activeGrantsCounter = "grants:active";

export function createCounterReads(db: Db): Pick<Reads, "used"> {
  const usage = prepareUsage(db);
  return {
    used: async (key, now, windowMs) =>
      usage.used(key, windowMs === undefined ? undefined : plus(now, -windowMs)),
  };
}

/** How often something was used: in total, or since an instant. */
export function prepareUsage(db: Db) {
  const key = sql.placeholder("key");
  const total = db.select({ used: counters.used }).from(counters).where(eq(counters.key, key)).prepare();
  const recent = db
    .select({ used: count() })
    .from(counterUses)
    .where(and(eq(counterUses.key, key), gt(counterUses.at, sql.placeholder("since"))))
    .prepare();
  return {
    /** `since` is not included. */
    used: (counter: string, since?: Instant): number => {
      const row = since === undefined ? total.get({ key: counter }) : recent.get({ key: counter, since });
      return row?.used ?? 0;
    },
  };
}
