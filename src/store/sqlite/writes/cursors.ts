import { eq, sql } from "drizzle-orm";
import type { Cursor } from "../../../service/ports/store.ts";
import { cursors } from "../tables/cursors.ts";
import type { Db } from "../tables/database.ts";
import { placeholdersFor, type NewRow } from "../tables/placeholders.ts";

/** Each cursor has one writer, so it is replaced as a whole. */
export function prepareCursorWrites(db: Db) {
  const { name, ...changing } = placeholdersFor(cursors);
  const put = db
    .insert(cursors)
    .values({ name, ...changing })
    .onConflictDoUpdate({ target: cursors.name, set: changing })
    .prepare();
  const remove = db
    .delete(cursors)
    .where(eq(cursors.name, sql.placeholder("name")))
    .prepare();
  return {
    put: (cursor: Cursor): void => {
      put.run({ name: cursor.name, value: cursor } satisfies NewRow<typeof cursors>);
    },
    remove: (cursorName: string): void => void remove.run({ name: cursorName }),
  };
}
