import type { Instant } from "../../../core/values/ids.ts";

import { gt, lt, lte, sql } from "drizzle-orm";

import { prepareWrite } from "../tables/prepare-write.ts";
import { clockMark, counterUses, outbox } from "../tables/schema.ts";
import { placeholder, type Tables } from "../tables/placeholders.ts";

/** The latest time of any commit. It only rises, except where an operator says that it was wrong. */
export function prepareClockWrites(tables: Tables) {
  const at = placeholder("at", clockMark.at);
  const put = tables.insert(clockMark).values({ id: "clock", at });
  const raise = prepareWrite(
    tables,
    put.onConflictDoUpdate({ target: clockMark.id, set: { at }, setWhere: lt(clockMark.at, at) }),
  );
  const isDueByThen = lte(outbox.createdAt, placeholder("from", outbox.createdAt));
  const lower = [
    prepareWrite(tables, tables.update(clockMark).set({ at })),
    prepareWrite(
      tables,
      tables
        .update(outbox)
        .set({ createdAt: sql`min(${outbox.createdAt}, ${at})`, readyAt: sql`min(${outbox.readyAt}, ${at})` })
        .where(isDueByThen),
    ),
    prepareWrite(tables, tables.update(counterUses).set({ at }).where(gt(counterUses.at, at))),
  ];
  return {
    raise: (time: Instant): undefined => void raise.run({ at: time }),
    lower: (from: Instant, to: Instant): undefined => {
      for (const statement of lower) statement.run({ from, at: to });
    },
  };
}
