import type { Reads } from "../../../service/ports/store.ts";
import { translateErrors } from "../tables/sqlite-faults.ts";
import { clockMark } from "../tables/schema.ts";
import type { Tables } from "../tables/placeholders.ts";

export function createClockReads(tables: Tables): Pick<Reads, "clockMark"> {
  const read = tables.select({ at: clockMark.at }).from(clockMark).prepare();
  return { clockMark: async () => translateErrors(() => read.get()?.at) };
}
