import type { Reads } from "../../../service/ports/store.ts";
import { asc } from "drizzle-orm";
import { cursors } from "../tables/cursors.ts";
import type { Db } from "../tables/database.ts";

export function createCursorReads(db: Db): Pick<Reads, "cursors"> {
  const all = db.select({ value: cursors.value }).from(cursors).orderBy(asc(cursors.name)).prepare();
  return { cursors: async () => all.all().map((one) => one.value) };
}
