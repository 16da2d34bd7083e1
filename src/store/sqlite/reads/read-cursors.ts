import type { Reads } from "../../../service/ports/store.ts";
import { asc } from "drizzle-orm";
import { translateErrors } from "../tables/sqlite-faults.ts";
import { cursors } from "../tables/schema.ts";
import type { Tables } from "../tables/placeholders.ts";

export function createCursorReads(tables: Tables): Pick<Reads, "cursors"> {
  const all = tables.select({ value: cursors.value }).from(cursors).orderBy(asc(cursors.name)).prepare();
  return { cursors: async () => translateErrors(() => all.all().map((one) => one.value)) };
}
