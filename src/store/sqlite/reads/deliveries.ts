import type { Reads } from "../../../service/ports/store.ts";
import { and, asc, sql } from "drizzle-orm";
import { deliveries } from "../tables/deliveries.ts";
import { requests } from "../tables/requests.ts";
import type { Db } from "../tables/database.ts";
import { jsonList, listPlaceholder } from "../tables/placeholders.ts";

/** Which messages were sent about requests, and where they are. */
export function createDeliveryReads(db: Db): Pick<Reads, "deliveries" | "openRequestsShownTo"> {
  const { ofRequests, openRequestsShownTo } = prepareDeliveryReads(db);
  return {
    deliveries: async (requestIds) =>
      requestIds.length === 0 ? [] : ofRequests.all({ ids: jsonList(requestIds) }),
    openRequestsShownTo: async (readerId) => openRequestsShownTo.all({ readerId }).map((row) => row.id),
  };
}

/** How many of the latest messages to one reader are considered. */
export const recentDeliveriesMax = 500;

/** Also for the test of their query plans. */
export function prepareDeliveryReads(db: Db) {
  const { id, requestId, notice, surface, address, audience, readerId, state, ref, fault, at } = deliveries;
  return {
    ofRequests: db
      .select({ id, requestId, notice, surface, address, audience, readerId, state, ref, fault, at })
      .from(deliveries)
      .where(sql`${deliveries.requestId} IN ${listPlaceholder("ids")}`)
      .orderBy(asc(deliveries.ord))
      .prepare(),
    openRequestsShownTo: db
      .select({ id: requests.id })
      .from(requests)
      .where(
        and(
          // With an alias, because the outer query has columns of the same names.
          sql`${requests.id} IN (SELECT shown.request_id FROM ${deliveries} AS shown WHERE shown.reader_id = ${sql.placeholder("readerId")} ORDER BY shown.ord DESC LIMIT ${sql.raw(String(recentDeliveriesMax))})`,
          sql`(${requests.status} IN ('PENDING', 'APPROVED', 'ACTIVE') OR (${requests.brokeGlass} = 1 AND ${requests.justifiedAt} IS NULL))`,
        ),
      )
      .prepare(),
  };
}
