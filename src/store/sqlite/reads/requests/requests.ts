import type { RequestId } from "../../../../core/values/ids.ts";
import type { Reads } from "../../../../service/ports/store.ts";
import { and, asc, desc, eq, gt, lte, sql } from "drizzle-orm";
import { grants } from "../../tables/grants.ts";
import { requests } from "../../tables/requests.ts";
import type { Db } from "../../tables/database.ts";
import { asRequestWithGrant, requestColumns } from "./request-rows.ts";

type RequestReads = Pick<
  Reads,
  | "request"
  | "openExtension"
  | "openRequestsOf"
  | "overdueRequestsOf"
  | "waitingRequests"
  | "openReviews"
  | "strandedRequests"
  | "dueRequests"
  | "breakGlassUses"
>;

/** How many uses of break-glass are read back. */
const breakGlassUsesMax = 100;

/** Requests by id, and those for which something is due. */
export function createRequestReads(db: Db): RequestReads {
  const statements = prepareRequestReads(db);
  return {
    request: async (id) => {
      const row = statements.request.get({ id });
      return row === undefined ? undefined : asRequestWithGrant(row);
    },
    openExtension: async (grantId) => statements.openExtension.get({ grantId }),
    openRequestsOf: async (subjectId) => idsInOrder(statements.openOf.all({ subjectId })),
    overdueRequestsOf: async (subjectId, now) => idsInOrder(statements.overdueOf.all({ subjectId, now })),
    waitingRequests: async (after, limit) => statements.waiting.all({ after, limit }),
    openReviews: async (after, limit) => statements.openReviews.all({ after, limit }),
    strandedRequests: async (now) => statements.stranded.get({ now })?.count ?? 0,
    dueRequests: async (now, limit) => ids(statements.dueRequests.all({ now, limit })),
    breakGlassUses: async (subjectId) => statements.breakGlassUses.all({ subjectId }).map((row) => row.value),
  };
}

function idsInOrder(rows: readonly { readonly ord: number; readonly id: RequestId }[]): readonly RequestId[] {
  return ids(rows.toSorted((one, other) => one.ord - other.ord));
}

function ids(rows: readonly { readonly id: RequestId }[]): readonly RequestId[] {
  return rows.map((row) => row.id);
}

/** Also for the test of their query plans. */
export function prepareRequestReads(db: Db) {
  const { ord, id, value, version } = requests;
  const now = sql.placeholder("now");
  const limit = sql.placeholder("limit");
  const ofSubject = eq(requests.subjectId, sql.placeholder("subjectId"));
  // Spelled out, here and below: only then does SQLite see that a partial index fits.
  const isOpenAsWritten = sql`${requests.status} IN ('PENDING', 'APPROVED', 'ACTIVE')`;
  return {
    request: db
      .select(requestColumns)
      .from(requests)
      .leftJoin(grants, eq(grants.id, requests.grantId))
      .where(eq(id, sql.placeholder("id")))
      .prepare(),
    openExtension: db
      .select({ value, version })
      .from(requests)
      .where(and(eq(requests.extendsGrantId, sql.placeholder("grantId")), eq(requests.status, "PENDING")))
      .prepare(),
    // Sorted by the caller: with ORDER BY, SQLite would walk through every request the subject ever had.
    openOf: db.select({ ord, id }).from(requests).where(and(ofSubject, isOpenAsWritten)).prepare(),
    overdueOf: db
      .select({ ord, id })
      .from(requests)
      .where(and(ofSubject, isOpenAsWritten, lte(requests.lapsesAt, now)))
      .prepare(),
    waiting: db
      .select({ ord, request: value })
      .from(requests)
      .where(and(eq(requests.status, "PENDING"), gt(ord, sql.placeholder("after"))))
      .orderBy(asc(ord))
      .limit(limit)
      .prepare(),
    openReviews: prepareOpenReviews(db),
    stranded: db
      .select({ count: sql<number>`count(*)` })
      .from(requests)
      .where(and(sql`${requests.strandedSince} IS NOT NULL`, gt(requests.lapsesAt, now)))
      .prepare(),
    dueRequests: db
      .select({ id })
      .from(requests)
      .where(lte(requests.dueAt, now))
      .orderBy(asc(requests.dueAt))
      .limit(limit)
      .prepare(),
    breakGlassUses: db
      .select({ value })
      .from(requests)
      .where(and(ofSubject, sql`${requests.brokeGlass} = 1`))
      .orderBy(desc(requests.ord))
      .limit(breakGlassUsesMax)
      .prepare(),
  };
}

function prepareOpenReviews(db: Db) {
  const { ord, value, brokeGlass, justifiedAt } = requests;
  return db
    .select({ ord, request: value })
    .from(requests)
    .where(and(sql`${brokeGlass} = 1`, sql`${justifiedAt} IS NULL`, gt(ord, sql.placeholder("after"))))
    .orderBy(asc(ord))
    .limit(sql.placeholder("limit"))
    .prepare();
}
