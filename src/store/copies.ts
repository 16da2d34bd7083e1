import type { Reads, Write } from "../service/ports.ts";
import { and, asc, eq, sql } from "./drizzle.ts";
import { reading } from "./faults.ts";
import { copies, requests } from "./schema.ts";
import { prepareWrite } from "./prepare-write.ts";
import { hole, listHole, listText, type Conflict, type Tables } from "./tables.ts";

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
const recentCopiesMax = 500;

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

type CopyWrite = Extract<Write, { kind: "copyWanted" | "copyTold" }>;

export function prepareCopyWrites(tables: Tables): {
  readonly write: (write: CopyWrite) => Conflict | undefined;
} {
  const wanted = prepareWrite(
    tables,
    tables
      .insert(copies)
      .values({
        id: hole("id", copies.id),
        requestId: hole("requestId", copies.requestId),
        notice: hole("notice", copies.notice),
        surface: hole("surface", copies.surface),
        address: hole("address", copies.address),
        audience: hole("audience", copies.audience),
        readerId: hole("readerId", copies.readerId),
        state: hole("state", copies.state),
        ref: hole("ref", copies.ref),
        fault: hole("fault", copies.fault),
        at: hole("at", copies.at),
      })
      .onConflictDoNothing(),
  );
  const told = prepareWrite(
    tables,
    tables
      .update(copies)
      .set({
        state: hole("state", copies.state),
        ref: hole("ref", copies.ref),
        fault: hole("fault", copies.fault),
        at: hole("at", copies.at),
      })
      .where(eq(copies.id, hole("id", copies.id))),
  );
  return {
    write: (write) => {
      if (write.kind === "copyWanted") wanted.run({ ...write.value });
      else told.run({ id: write.id, state: write.state, ref: write.ref, fault: write.fault, at: write.at });
      return undefined;
    },
  };
}
