import type { RequestId } from "../../../../core/values/ids.ts";
import type { Reads } from "../../../../service/ports/store.ts";
import { and, asc, desc, eq, gt, lte, sql } from "drizzle-orm";
import { prepareActiveGrants } from "./read-active-grants.ts";
import { grants, requests } from "../../tables/schema.ts";
import { placeholder, type Tables } from "../../tables/placeholders.ts";
import { translateErrors } from "../../tables/sqlite-faults.ts";
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
  | "dueGrants"
  | "activeGrants"
  | "breakGlassUses"
>;

/** How many uses a look back at break-glass takes in. */
const breakGlassUsesMax = 100;

/** Requests looked up one by one, or because time has come for them. */
export function createRequestReads(tables: Tables): RequestReads {
  const statements = prepareRequestReads(tables);
  const activeGrants = prepareActiveGrants(tables);
  return {
    request: async (id) =>
      translateErrors(() => {
        const row = statements.request.get({ id });
        return row === undefined ? undefined : asRequestWithGrant(row);
      }),
    openExtension: async (grantId) => translateErrors(() => statements.openExtension.get({ grantId })),
    openRequestsOf: async (subjectId) =>
      translateErrors(() => idsInOrder(statements.openOf.all({ subjectId }))),
    overdueRequestsOf: async (subjectId, now) =>
      translateErrors(() => idsInOrder(statements.overdueOf.all({ subjectId, now }))),
    waitingRequests: async (after, limit) => translateErrors(() => statements.waiting.all({ after, limit })),
    openReviews: async (after, limit) => translateErrors(() => statements.openReviews.all({ after, limit })),
    strandedRequests: async (now) => translateErrors(() => statements.stranded.get({ now })?.count ?? 0),
    dueRequests: async (now, limit) => translateErrors(() => ids(statements.dueRequests.all({ now, limit }))),
    dueGrants: async (now, limit) =>
      translateErrors(() => statements.dueGrants.all({ now, limit }).map((row) => row.requestId)),
    activeGrants: async (now) => translateErrors(() => activeGrants(now)),
    breakGlassUses: async (subjectId) =>
      translateErrors(() => statements.breakGlassUses.all({ subjectId }).map((row) => row.value)),
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
  const now = placeholder("now", requests.lapsesAt);
  const limit = sql.placeholder("limit");
  const ofSubject = eq(requests.subjectId, placeholder("subjectId", requests.subjectId));
  // Spelled out, here and below, for only then does SQLite see that a partial index fits.
  const isOpenAsWritten = sql`${requests.status} IN ('PENDING', 'APPROVED', 'ACTIVE')`;
  const mayLapse = sql`${grants.phase} IN ('PREPARING', 'ACTIVE')`;
  return {
    request: tables
      .select(requestColumns)
      .from(requests)
      .leftJoin(grants, eq(grants.id, requests.grantId))
      .where(eq(id, placeholder("id", id)))
      .prepare(),
    openExtension: tables
      .select({ value, version })
      .from(requests)
      .where(
        and(
          eq(requests.extendsGrantId, placeholder("grantId", requests.extendsGrantId)),
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
      .where(and(eq(requests.status, "PENDING"), gt(ord, placeholder("after", ord))))
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
    .where(and(sql`${brokeGlass} = 1`, sql`${justifiedAt} IS NULL`, gt(ord, placeholder("after", ord))))
    .orderBy(asc(ord))
    .limit(sql.placeholder("limit"))
    .prepare();
}
