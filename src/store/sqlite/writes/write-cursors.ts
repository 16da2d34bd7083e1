import type { Cursor } from "../../../service/ports/store.ts";
import { eq } from "drizzle-orm";

import { cursors } from "../tables/schema.ts";
import { prepareWrite } from "../tables/prepare-write.ts";
import { placeholder, type Tables } from "../tables/placeholders.ts";

/** Followers of the audit log are few and each has one writer, so they are replaced whole. */
export function prepareCursorWrites(tables: Tables) {
  const name = placeholder("name", cursors.name);
  const value = placeholder("value", cursors.value);
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
