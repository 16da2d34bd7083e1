import type { Reads } from "../../../service/ports/store.ts";
import { clockMark } from "../tables/clock-mark.ts";
import type { Db } from "../tables/database.ts";

export function createClockReads(db: Db): Pick<Reads, "clockMark"> {
  const read = db.select({ at: clockMark.at }).from(clockMark).prepare();
  return { clockMark: async () => read.get()?.at };
}
