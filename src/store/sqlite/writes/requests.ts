import { eq, sql } from "drizzle-orm";
import { isOpen, type AccessRequest } from "../../../core/access/access-request.ts";
import type { Grant } from "../../../core/access/grant.ts";
import { isStranded } from "../../../core/access/stranded-request.ts";
import { assertPresent } from "../../../core/values/assert.ts";
import type { Instant } from "../../../core/values/ids.ts";
import type { Db } from "../tables/database.ts";
import { placeholdersFor, type NewRow } from "../tables/placeholders.ts";
import { requests } from "../tables/requests.ts";
import { prepareRequestScopeWrites } from "./request-scopes.ts";
import { prepareRequestSelectorWrites } from "./request-selectors.ts";
import { prepareStatusWrites, statusColumnsOf, type StatusColumns } from "./request-status.ts";

/** Writes access requests with every column that is derived from them. */
export function prepareRequestWrites(db: Db) {
  const statements = prepareStatements(db);
  const scopes = prepareRequestScopeWrites(db);
  const selectors = prepareRequestSelectorWrites(db);
  const status = prepareStatusWrites(db);
  return {
    /** @param grant the grant it led to, if the same step writes that too. */
    write: (request: AccessRequest, dueAt: Instant | null, version: number, grant?: Grant): void => {
      const row = rowOf(request, dueAt, version, statusColumnsOf(request, grant));
      const isNew = version === 1;
      const statement = isNew ? statements.insert : statements.update;
      const { ord } = assertPresent(statement.get(row), `the row of ${request.id}`);
      if (isNew) scopes.add(request, ord, row.status);
      // Stages are only added, and only while votes are given.
      if (isNew || isOpen(request)) selectors.add(request, ord, row.status);
      if (request.phase === "CLAIMED" && grant === undefined) status.takeFromGrant(request.id);
      else status.copyStatus(request.id);
    },
  };
}

/** `latestAt` is computed by the insert itself. */
type RequestRow = Omit<NewRow<typeof requests>, "latestAt">;

function rowOf(
  request: AccessRequest,
  dueAt: Instant | null,
  version: number,
  { status, lapsesAt }: StatusColumns,
): RequestRow {
  const { breakGlass } = request;
  const lastReview = breakGlass?.reviews.at(-1);
  return {
    id: request.id,
    version,
    subjectId: request.subjectId,
    requestedById: request.requestedById,
    requestedAt: request.requestedAt,
    status,
    lapsesAt,
    dueAt,
    grantId: request.grantId,
    extendsGrantId: request.extension?.grantId ?? null,
    strandedSince: isStranded(request) ? (request.stranded?.since ?? null) : null,
    deniedAt: request.phase === "DENIED" ? request.endedAt : null,
    brokeGlass: breakGlass !== undefined && request.phase === "CLAIMED",
    justifiedAt: lastReview?.outcome === "justified" ? lastReview.at : null,
    value: request,
  };
}

function prepareStatements(db: Db) {
  // Columns that never change are left out of the update, so that their indexes are not written again.
  const {
    id,
    subjectId,
    requestedById,
    requestedAt,
    extendsGrantId,
    latestAt: _,
    ...changing
  } = placeholdersFor(requests);
  const latestBefore = sql`(SELECT max(${requests.latestAt}) FROM ${requests})`;
  const latestAt = sql`max(${requestedAt}, coalesce(${latestBefore}, 0))`;
  const { ord } = requests;
  return {
    insert: db
      .insert(requests)
      .values({ id, subjectId, requestedById, requestedAt, extendsGrantId, latestAt, ...changing })
      .returning({ ord })
      .prepare(),
    update: db
      .update(requests)
      .set(changing)
      .where(eq(requests.id, sql.placeholder("id")))
      .returning({ ord })
      .prepare(),
  };
}
