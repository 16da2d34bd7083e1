import type { Cursor, Reads } from "../service/ports.ts";
import { asc, eq } from "./drizzle.ts";
import { reading } from "./faults.ts";
import { cursors } from "./schema.ts";
import { prepareWrite } from "./prepare-write.ts";
import { hole, type Tables } from "./tables.ts";

/** Followers of the audit log are few and each has one writer, so they are replaced whole. */
export function prepareCursorWrites(tables: Tables) {
  const name = hole("name", cursors.name);
  const value = hole("value", cursors.value);
  const put = prepareWrite(
    tables,
    tables
      .insert(cursors)
      .values({ name, value })
      .onConflictDoUpdate({ target: cursors.name, set: { value } }),
  );
  const drop = prepareWrite(tables, tables.delete(cursors).where(eq(cursors.name, name)));
  return {
    put: (cursor: Cursor): undefined => {
      put.run({ name: cursor.name, value: cursor });
    },
    drop: (dropped: string): undefined => {
      drop.run({ name: dropped });
    },
  };
}

export function createCursorReads(tables: Tables): Pick<Reads, "cursors"> {
  const all = tables.select({ value: cursors.value }).from(cursors).orderBy(asc(cursors.name)).prepare();
  return { cursors: async () => reading(() => all.all().map((one) => one.value)) };
}
