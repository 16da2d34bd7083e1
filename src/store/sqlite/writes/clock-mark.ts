import { lt } from "drizzle-orm";
import type { Instant } from "../../../core/values/ids.ts";
import { clockMark } from "../tables/clock-mark.ts";
import type { Db } from "../tables/database.ts";
import { placeholder, placeholdersFor, type NewRow } from "../tables/placeholders.ts";

/** The latest time of any commit. It only rises, unless an operator declares that it was wrong. */
export function prepareClockWrites(db: Db) {
  const at = placeholder("at", clockMark.at);
  const raise = db
    .insert(clockMark)
    .values(placeholdersFor(clockMark))
    .onConflictDoUpdate({ target: clockMark.id, set: { at }, setWhere: lt(clockMark.at, at) })
    .prepare();
  const lower = db.update(clockMark).set({ at }).prepare();
  return {
    raise: (time: Instant): void => {
      raise.run({ id: "clock", at: time } satisfies NewRow<typeof clockMark>);
    },
    lower: (time: Instant): void => void lower.run({ at: time }),
  };
}
