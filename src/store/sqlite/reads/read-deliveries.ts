import type { Reads } from "../../../service/ports/store.ts";
import { and, asc, sql } from "drizzle-orm";
import { translateErrors } from "../tables/sqlite-faults.ts";
import { deliveries, requests } from "../tables/schema.ts";
import { placeholder, listPlaceholder, jsonList, type Tables } from "../tables/placeholders.ts";

/** What people have been told, and where the messages are. */
export function createDeliveryReads(tables: Tables): Pick<Reads, "deliveries" | "openRequestsShownTo"> {
  const { ofRequests, openRequestsShownTo } = prepareDeliveryReads(tables);
  return {
    deliveries: async (requestIds) =>
      requestIds.length === 0 ? [] : translateErrors(() => ofRequests.all({ ids: jsonList(requestIds) })),
    openRequestsShownTo: async (readerId) =>
      translateErrors(() => openRequestsShownTo.all({ readerId }).map((row) => row.id)),
  };
}

/** How many of the messages that somebody was sent last are looked at. */
export const recentDeliveriesMax = 500;

/** Also for the test that looks at its query plans. */
export function prepareDeliveryReads(tables: Tables) {
  const { id, requestId, notice, surface, address, audience, readerId, state, ref, fault, at } = deliveries;
  return {
    ofRequests: tables
      .select({ id, requestId, notice, surface, address, audience, readerId, state, ref, fault, at })
      .from(deliveries)
      .where(sql`${deliveries.requestId} IN ${listPlaceholder("ids")}`)
      .orderBy(asc(deliveries.ord))
      .prepare(),
    openRequestsShownTo: tables
      .select({ id: requests.id })
      .from(requests)
      .where(
        and(
          // Names its own table, for the same columns stand outside.
          sql`${requests.id} IN (SELECT shown.request_id FROM ${deliveries} AS shown WHERE shown.reader_id = ${placeholder("readerId", deliveries.readerId)} ORDER BY shown.ord DESC LIMIT ${sql.raw(String(recentDeliveriesMax))})`,
          sql`(${requests.status} IN ('PENDING', 'APPROVED', 'ACTIVE') OR (${requests.brokeGlass} = 1 AND ${requests.justifiedAt} IS NULL))`,
        ),
      )
      .prepare(),
  };
}
