import type { Reads } from "../../../service/ports/store.ts";
import { and, asc, sql } from "../tables/drizzle.ts";
import { reading } from "../tables/sqlite-faults.ts";
import { copies, requests } from "../tables/schema.ts";
import { hole, listHole, listText, type Tables } from "../tables/placeholders.ts";

/** What people have been told, and where the messages are. */
export function createCopyReads(tables: Tables): Pick<Reads, "copies" | "openRequestsShownTo"> {
  const { ofRequests, openRequestsShownTo } = prepareCopyReads(tables);
  return {
    copies: async (requestIds) =>
      requestIds.length === 0 ? [] : reading(() => ofRequests.all({ ids: listText(requestIds) })),
    openRequestsShownTo: async (readerId) =>
      reading(() => openRequestsShownTo.all({ readerId }).map((row) => row.id)),
  };
}

/** How many of the messages that somebody was sent last are looked at. */
export const recentCopiesMax = 500;

/** Also for the test that looks at its query plans. */
export function prepareCopyReads(tables: Tables) {
  const { id, requestId, notice, surface, address, audience, readerId, state, ref, fault, at } = copies;
  return {
    ofRequests: tables
      .select({ id, requestId, notice, surface, address, audience, readerId, state, ref, fault, at })
      .from(copies)
      .where(sql`${copies.requestId} IN ${listHole("ids")}`)
      .orderBy(asc(copies.ord))
      .prepare(),
    openRequestsShownTo: tables
      .select({ id: requests.id })
      .from(requests)
      .where(
        and(
          // Names its own table, for the same columns stand outside.
          sql`${requests.id} IN (SELECT shown.request_id FROM ${copies} AS shown WHERE shown.reader_id = ${hole("readerId", copies.readerId)} ORDER BY shown.ord DESC LIMIT ${sql.raw(String(recentCopiesMax))})`,
          sql`(${requests.status} IN ('PENDING', 'APPROVED', 'ACTIVE') OR (${requests.brokeGlass} = 1 AND ${requests.justifiedAt} IS NULL))`,
        ),
      )
      .prepare(),
  };
}
