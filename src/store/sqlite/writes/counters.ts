import { and, asc, eq, gt, lte, sql } from "drizzle-orm";
import type { Grant } from "../../../core/access/grant.ts";
import { assert, assertPresent } from "../../../core/values/assert.ts";
import type { Instant } from "../../../core/values/ids.ts";
import { plus } from "../../../core/values/time.ts";
import type { CounterChange } from "../../../service/ports/store.ts";
import { activeGrantsCounter, prepareUsage } from "../reads/counters.ts";
import { counters, counterUses } from "../tables/counters.ts";
import type { Db } from "../tables/database.ts";
import { grants } from "../tables/grants.ts";
import { placeholder, placeholdersFor, type NewRow } from "../tables/placeholders.ts";
import type { Conflict } from "./conflict.ts";

/** Counts under a limit in the same transaction as what is counted, so the count is exact. */
export function prepareCounterWrites(db: Db) {
  const usage = prepareUsage(db);
  const add = prepareAdd(db);
  const uses = prepareUses(db);

  const changeTotal = (change: CounterChange): Conflict | undefined => {
    const after = change.add === 0 ? usage.used(change.key) : add(change.key, change.add);
    if (change.max !== undefined && after > change.max) return { conflict: "counter", what: change.key };
    assert(after >= 0, "a counter stays at or above zero");
    return undefined;
  };

  const changeInWindow = (change: CounterChange, windowMs: number): Conflict | undefined => {
    assert(change.add >= 0, "uses in a window are not taken back; they leave the window by themselves");
    const { key, at } = change;
    const windowStart = plus(at, -windowMs);
    const used = usage.used(key, windowStart);
    const excess = change.max === undefined ? 0 : used + change.add - change.max;
    if (excess > 0) {
      // The limit allows it once as many uses as are too many have left the window; never, if there are fewer.
      const leaving = uses.nth.get({ key, since: windowStart, skipped: excess - 1 });
      const retryAt = leaving && plus(leaving.at, windowMs);
      return { conflict: "counter", what: key, ...(retryAt !== undefined && { retryAt }) };
    }
    uses.prune.run({ key, since: windowStart });
    for (let use = 0; use < change.add; use++) {
      uses.add.run({ key, at } satisfies NewRow<typeof counterUses>);
    }
    return undefined;
  };

  return {
    change: (change: CounterChange): Conflict | undefined =>
      change.windowMs === undefined ? changeTotal(change) : changeInWindow(change, change.windowMs),
    /** After the clock was lowered to `at`: what was used later counts as used at `at`. */
    lowerTimes: (at: Instant): void => void uses.lowerTimes.run({ at }),
  };
}

/** Counts active grants. Call it with each grant before the grant's row is written. */
export function prepareActiveGrantCount(db: Db): (grant: Grant) => void {
  const phaseBefore = db
    .select({ phase: grants.phase })
    .from(grants)
    .where(eq(grants.id, sql.placeholder("id")))
    .prepare();
  const add = prepareAdd(db);
  return ({ id, phase }) => {
    const before = Number(phaseBefore.get({ id })?.phase === "ACTIVE");
    const after = Number(phase === "ACTIVE");
    if (before !== after) add(activeGrantsCounter, after - before);
  };
}

/** @returns what a counter shows after it was changed. */
function prepareAdd(db: Db): (key: string, used: number) => number {
  const row = placeholdersFor(counters);
  const upsert = db
    .insert(counters)
    .values(row)
    .onConflictDoUpdate({ target: counters.key, set: { used: sql`${counters.used} + ${row.used}` } })
    .returning({ used: counters.used })
    .prepare();
  return (key, used) => {
    const found = upsert.get({ key, used } satisfies NewRow<typeof counters>);
    return assertPresent(found, `the counter ${key}`).used;
  };
}

function prepareUses(db: Db) {
  const at = placeholder("at", counterUses.at);
  const isOfKey = eq(counterUses.key, sql.placeholder("key"));
  const since = sql.placeholder("since");
  return {
    add: db.insert(counterUses).values(placeholdersFor(counterUses)).prepare(),
    prune: db
      .delete(counterUses)
      .where(and(isOfKey, lte(counterUses.at, since)))
      .prepare(),
    nth: db
      .select({ at: counterUses.at })
      .from(counterUses)
      .where(and(isOfKey, gt(counterUses.at, since)))
      .orderBy(asc(counterUses.at))
      .limit(1)
      .offset(sql.placeholder("skipped"))
      .prepare(),
    lowerTimes: db.update(counterUses).set({ at }).where(gt(counterUses.at, at)).prepare(),
  };
}
