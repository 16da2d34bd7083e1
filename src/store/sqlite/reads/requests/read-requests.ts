import type { RequestId } from "../../../../core/values/ids.ts";
import type { Reads } from "../../../../service/ports/store.ts";
import { and, asc, desc, eq, gt, lte, sql } from "../../tables/drizzle.ts";
import { prepareActiveGrants } from "./read-active-grants.ts";
import { grants, requests } from "../../tables/schema.ts";
import { hole, type Tables } from "../../tables/placeholders.ts";
import { reading } from "../../tables/sqlite-faults.ts";
import type { SinceChange } from "../../../shared/read-cache.ts";
import { rememberRequests } from "./cached-requests.ts";

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
  | "dueGrants"
  | "activeGrants"
  | "breakGlassUses"
>;

/** How many uses a look back at break-glass takes in. */
const breakGlassUsesMax = 100;

/** Requests looked up one by one, or because time has come for them. */
export function createRequestReads(tables: Tables, sinceChange: SinceChange): RequestReads {
  const statements = prepareRequestReads(tables);
  const request = rememberRequests(tables, sinceChange);
  const activeGrants = prepareActiveGrants(tables);
  return {
    request: async (id) => reading(() => request(id)),
    openExtension: async (grantId) => reading(() => statements.openExtension.get({ grantId })),
    openRequestsOf: async (subjectId) => reading(() => idsInOrder(statements.openOf.all({ subjectId }))),
    overdueRequestsOf: async (subjectId, now) =>
      reading(() => idsInOrder(statements.overdueOf.all({ subjectId, now }))),
    waitingRequests: async (after, limit) => reading(() => statements.waiting.all({ after, limit })),
    openReviews: async (after, limit) => reading(() => statements.openReviews.all({ after, limit })),
    strandedRequests: async (now) => reading(() => statements.stranded.get({ now })?.count ?? 0),
    dueRequests: async (now, limit) => reading(() => ids(statements.dueRequests.all({ now, limit }))),
    dueGrants: async (now, limit) =>
      reading(() => statements.dueGrants.all({ now, limit }).map((row) => row.requestId)),
    activeGrants: async (now) => reading(() => activeGrants(now)),
    breakGlassUses: async (subjectId) =>
      reading(() => statements.breakGlassUses.all({ subjectId }).map((row) => row.value)),
  };
}

function idsInOrder(rows: readonly { readonly ord: number; readonly id: RequestId }[]): readonly RequestId[] {
  return ids(rows.toSorted((one, other) => one.ord - other.ord));
}

function ids(rows: readonly { readonly id: RequestId }[]): readonly RequestId[] {
  return rows.map((row) => row.id);
}

/** Also for the test that looks at their query plans. */
export function prepareRequestReads(tables: Tables) {
  const { ord, id, value, version } = requests;
  const now = hole("now", requests.lapsesAt);
  const limit = sql.placeholder("limit");
  const ofSubject = eq(requests.subjectId, hole("subjectId", requests.subjectId));
  // Spelled out, here and below, for only then does SQLite see that a partial index fits.
  const isOpenAsWritten = sql`${requests.status} IN ('PENDING', 'APPROVED', 'ACTIVE')`;
  const mayLapse = sql`${grants.phase} IN ('PREPARING', 'ACTIVE')`;
  return {
    openExtension: tables
      .select({ value, version })
      .from(requests)
      .where(
        and(
          eq(requests.extendsGrantId, hole("grantId", requests.extendsGrantId)),
          eq(requests.status, "PENDING"),
        ),
      )
      .prepare(),
    // Sorted outside: asked for the order of arrival, SQLite would go through everything the subject ever had.
    openOf: tables.select({ ord, id }).from(requests).where(and(ofSubject, isOpenAsWritten)).prepare(),
    overdueOf: tables
      .select({ ord, id })
      .from(requests)
      .where(and(ofSubject, isOpenAsWritten, lte(requests.lapsesAt, now)))
      .prepare(),
    waiting: tables
      .select({ ord, request: value })
      .from(requests)
      .where(and(eq(requests.status, "PENDING"), gt(ord, hole("after", ord))))
      .orderBy(asc(ord))
      .limit(limit)
      .prepare(),
    openReviews: prepareOpenReviews(tables),
    stranded: tables
      .select({ count: sql<number>`count(*)` })
      .from(requests)
      .where(and(sql`${requests.strandedSince} IS NOT NULL`, gt(requests.lapsesAt, now)))
      .prepare(),
    dueRequests: tables
      .select({ id })
      .from(requests)
      .where(lte(requests.dueAt, now))
      .orderBy(asc(requests.dueAt))
      .limit(limit)
      .prepare(),
    dueGrants: tables
      .select({ requestId: grants.requestId })
      .from(grants)
      .where(and(mayLapse, lte(grants.expiresAt, now)))
      .orderBy(asc(grants.expiresAt))
      .limit(limit)
      .prepare(),
    breakGlassUses: tables
      .select({ value })
      .from(requests)
      .where(and(ofSubject, sql`${requests.brokeGlass} = 1`))
      .orderBy(desc(requests.ord))
      .limit(breakGlassUsesMax)
      .prepare(),
  };
}

function prepareOpenReviews(tables: Tables) {
  const { ord, value, brokeGlass, justifiedAt } = requests;
  return tables
    .select({ ord, request: value })
    .from(requests)
    .where(and(sql`${brokeGlass} = 1`, sql`${justifiedAt} IS NULL`, gt(ord, hole("after", ord))))
    .orderBy(asc(ord))
    .limit(sql.placeholder("limit"))
    .prepare();
}
