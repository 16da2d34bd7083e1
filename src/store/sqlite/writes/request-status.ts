import { and, eq, sql } from "drizzle-orm";
import type { AccessRequest } from "../../../core/access/access-request.ts";
import { hasStarted, type Grant, type StartedGrant } from "../../../core/access/grant.ts";
import type { Instant, RequestId } from "../../../core/values/ids.ts";
import type { Db } from "../tables/database.ts";
import { grants } from "../tables/grants.ts";
import { placeholder } from "../tables/placeholders.ts";
import { requestScopes } from "../tables/request-scopes.ts";
import { requestSelectors } from "../tables/request-selectors.ts";
import { requests } from "../tables/requests.ts";

/** What a request's row says about its status. */
export interface StatusColumns {
  readonly status: string;
  readonly lapsesAt: Instant | null;
}

/** Until access has started the request's own phase counts, afterwards the grant's. */
export function statusColumnsOf(request: AccessRequest, grant: Grant | undefined): StatusColumns {
  if (hasStarted(grant)) return statusUnder(grant);
  // A claimed request without a grant failed to get one.
  return {
    status: request.phase === "CLAIMED" ? "FAILED" : request.phase,
    lapsesAt: requestLapsesAt(request),
  };
}

function statusUnder({ phase, expiresAt }: StartedGrant): StatusColumns {
  return { status: phase, lapsesAt: phase === "ACTIVE" ? expiresAt : null };
}

function requestLapsesAt(request: AccessRequest): Instant | null {
  if (request.phase === "PENDING") return request.approvalDeadline;
  return request.phase === "APPROVED" ? request.claimDeadline : null;
}

/** Keeps the status columns right when only the request or only its grant is written. */
export function prepareStatusWrites(db: Db) {
  const statements = prepareStatements(db);
  const copyStatus = (id: RequestId): void => {
    statements.copyToScopes.run({ id });
    statements.copyToSelectors.run({ id });
  };
  return {
    /** Call it after the status of a request's row was written. */
    copyStatus,
    /** Call it after a claimed request was written without its grant: takes the status from the grant, if one exists. */
    takeFromGrant: (id: RequestId): void => {
      statements.takeFromGrant.run({ id });
      copyStatus(id);
    },
    /** Call it after a grant was written without its request. */
    putFromGrant: (grant: Grant): void => {
      if (!hasStarted(grant)) return;
      statements.put.run({ id: grant.requestId, ...statusUnder(grant) });
      copyStatus(grant.requestId);
    },
  };
}

function prepareStatements(db: Db) {
  const isRequest = eq(requests.id, sql.placeholder("id"));
  const isItsGrant = eq(grants.id, requests.grantId);
  return {
    takeFromGrant: db
      .update(requests)
      .set({
        status: sql`(SELECT ${grants.phase} FROM ${grants} WHERE ${isItsGrant})`,
        lapsesAt: sql`(SELECT CASE ${grants.phase} WHEN 'ACTIVE' THEN ${grants.expiresAt} END FROM ${grants} WHERE ${isItsGrant})`,
      })
      .where(and(isRequest, sql`EXISTS (SELECT 1 FROM ${grants} WHERE ${isItsGrant})`))
      .prepare(),
    put: db
      .update(requests)
      .set({
        status: placeholder("status", requests.status),
        lapsesAt: placeholder("lapsesAt", requests.lapsesAt),
      })
      .where(isRequest)
      .prepare(),
    copyToScopes: prepareStatusCopy(db, requestScopes),
    copyToSelectors: prepareStatusCopy(db, requestSelectors),
  };
}

/** Lists are read by scope or selector together with the status, so those rows carry the status too. */
function prepareStatusCopy(db: Db, table: typeof requestScopes | typeof requestSelectors) {
  const ofRequest = sql`FROM ${requests} WHERE ${requests.id} = ${sql.placeholder("id")}`;
  const status = sql`(SELECT ${requests.status} ${ofRequest})`;
  return db
    .update(table)
    .set({ status })
    .where(
      and(
        eq(table.requestOrd, sql`(SELECT ${requests.ord} ${ofRequest})`),
        sql`${table.status} <> ${status}`,
      ),
    )
    .prepare();
}
