import { prepareUsage } from "../reads/read-usage.ts";
import { assert, assertPresent } from "../../../core/values/assert.ts";
import { plus } from "../../../core/values/time.ts";

import type { CounterChange } from "../../../service/ports/store.ts";
import { and, asc, eq, gt, lte, sql } from "drizzle-orm";
import { counters, counterUses } from "../tables/schema.ts";

import { prepareReturning, prepareWrite } from "../tables/prepare-write.ts";
import { placeholder, type Conflict, type Tables } from "../tables/placeholders.ts";

/** Counts under a limit, in the same transaction as what is counted, so exactly. */
export function prepareCounters(tables: Tables) {
  const usage = prepareUsage(tables);
  const key = placeholder("key", counters.key);
  const add = placeholder("add", counters.used);
  const at = placeholder("at", counterUses.at);
  const since = placeholder("since", counterUses.at);
  const ofWindow = and(eq(counterUses.key, key), gt(counterUses.at, since));
  const statements = {
    add: prepareReturning<number>(
      tables,
      tables
        .insert(counters)
        .values({ key, used: add })
        .onConflictDoUpdate({ target: counters.key, set: { used: sql`${counters.used} + ${add}` } })
        .returning({ used: counters.used }),
    ),
    use: prepareWrite(tables, tables.insert(counterUses).values({ key, at })),
    prune: prepareWrite(
      tables,
      tables.delete(counterUses).where(and(eq(counterUses.key, key), lte(counterUses.at, since))),
    ),
    nth: tables
      .select({ at: counterUses.at })
      .from(counterUses)
      .where(ofWindow)
      .orderBy(asc(counterUses.at))
      .limit(1)
      .offset(sql.placeholder("skipped"))
      .prepare(),
  };

  const changeForEver = (change: CounterChange): Conflict | undefined => {
    const { key: counter, add: more, max } = change;
    const after =
      more === 0
        ? usage.used(counter)
        : assertPresent(statements.add.get({ key: counter, add: more }), counter);
    if (max !== undefined && after > max) return { conflict: "counter", what: counter };
    assert(after >= 0, "a counter stays at or above zero");
    return undefined;
  };

  const changeInWindow = (change: CounterChange, windowMs: number): Conflict | undefined => {
    assert(change.add >= 0, "uses of a window are not taken back; they leave it by themselves");
    const windowStart = plus(change.at, -windowMs);
    const used = usage.used(change.key, windowStart);
    const excess = change.max === undefined ? 0 : used + change.add - change.max;
    if (excess > 0) {
      // Room comes when as many uses as are too many have left the window; never, if there are not that many.
      const leaving = statements.nth.get({ key: change.key, since: windowStart, skipped: excess - 1 });
      return {
        conflict: "counter",
        what: change.key,
        ...(leaving !== undefined && { retryAt: plus(leaving.at, windowMs) }),
      };
    }
    statements.prune.run({ key: change.key, since: windowStart });
    for (let use = 0; use < change.add; use++) statements.use.run({ key: change.key, at: change.at });
    return undefined;
  };

  return {
    change: (change: CounterChange): Conflict | undefined =>
      change.windowMs === undefined ? changeForEver(change) : changeInWindow(change, change.windowMs),
  };
}
