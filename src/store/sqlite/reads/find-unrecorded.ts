import { setImmediate as nextTurn } from "node:timers/promises";
import type { AuditAction } from "../../../core/audit/audit-record.ts";
import type { Grant } from "../../../core/access/grant.ts";
import type { RequestId } from "../../../core/values/ids.ts";
import type { Unrecorded } from "../../../service/ports/store.ts";
import { and, asc, eq, gt, sql } from "drizzle-orm";
import { auditEvents } from "../tables/audit-events.ts";
import { grants } from "../tables/grants.ts";
import { requests } from "../tables/requests.ts";
import type { Db } from "../tables/database.ts";

/** Rows compared before the event loop may run other work. */
const stateChunk = 50;
/** Records of one request read at a time: one use of break-glass can leave thousands. */
const recordChunk = 500;

/** A record that must exist: one of these actions. With `grant`, the record must name it. */
interface Needed {
  readonly actions: readonly AuditAction[];
  readonly grant?: string;
}

const approvals = ["request.approved", "request.auto_approved", "break_glass.used"] as const;
const starts = ["grant.prepared", "grant.started"] as const;

/** The records that explain a request's status; after the claim it is the grant's. */
function neededByRequest(status: string, isExtension: boolean): readonly Needed[] {
  const submitted: Needed = { actions: ["request.submitted"] };
  switch (status) {
    case "APPROVED":
      return [submitted, { actions: approvals }];
    case "COMPLETED":
      return [submitted, { actions: isExtension ? approvals : ["grant.completed"] }];
    case "DENIED":
      return [submitted, { actions: ["request.denied"] }];
    case "CANCELLED":
      return [submitted, { actions: ["request.cancelled"] }];
    case "TIMED_OUT":
      return [submitted, { actions: ["request.timed_out"] }];
    case "FAILED":
      return [submitted, { actions: ["grant.failed"] }];
    case "REVOKED":
      return [submitted, { actions: ["grant.revoked"] }];
    default:
      return [submitted];
  }
}

/** The records that explain a grant's phase. */
function neededByGrant(id: string, phase: Grant["phase"]): readonly Needed[] {
  switch (phase) {
    case "PREPARING":
      return [{ actions: ["grant.prepared"], grant: id }];
    case "ABANDONED":
      return [{ actions: ["grant.prepared"], grant: id }, { actions: ["grant.abandoned", "grant.failed"] }];
    case "ACTIVE":
      return [{ actions: ["grant.started"], grant: id }];
    case "EXPIRED":
      return [{ actions: starts, grant: id }, { actions: ["grant.expired"] }];
    case "COMPLETED":
      return [{ actions: starts, grant: id }, { actions: ["grant.completed"] }];
    case "REVOKED":
      return [{ actions: starts, grant: id }, { actions: ["grant.revoked"] }];
  }
}

/** Compares the stored state with the audit log, chunk by chunk, so that memory use does not grow with the data. */
export async function findUnrecorded(db: Db, limit: number): Promise<readonly Unrecorded[]> {
  const statements = prepareUnrecorded(db);
  const isRecorded = createRecordSearch(statements);
  const found: Unrecorded[] = [];
  for await (const { id, status, extendsGrantId } of rowsOf((after) => statements.requests.all({ after }))) {
    if (found.length >= limit) return found;
    if (!(await isRecorded(id, neededByRequest(status, extendsGrantId !== null)))) {
      found.push({ kind: "request", id });
    }
  }
  for await (const { id, requestId, phase } of rowsOf((after) => statements.grants.all({ after }))) {
    if (found.length >= limit) return found;
    if (!(await isRecorded(requestId, neededByGrant(id, phase)))) found.push({ kind: "grant", id });
  }
  return found;
}

async function* rowsOf<Row extends { readonly ord: number }>(
  chunk: (after: number) => readonly Row[],
): AsyncGenerator<Row> {
  let after = Number.MIN_SAFE_INTEGER;
  for (;;) {
    const rows = chunk(after);
    yield* rows;
    const last = rows.at(-1);
    if (last === undefined) return;
    after = last.ord;
    await nextTurn();
  }
}

/** Whether the records of a request contain all the needed ones. */
function createRecordSearch({ records }: Pick<ReturnType<typeof prepareUnrecorded>, "records">) {
  return async (request: RequestId, needed: readonly Needed[]): Promise<boolean> => {
    let open = needed;
    let after = 0;
    for (;;) {
      const rows = records.all({ request, after });
      for (const { action, grant } of rows) {
        open = open.filter((one) => {
          const isOfKind = one.actions.some((wanted) => wanted === action);
          return !isOfKind || (one.grant !== undefined && one.grant !== grant);
        });
      }
      if (open.length === 0) return true;
      if (rows.length < recordChunk) return false;
      after = rows.at(-1)?.seq ?? after;
      await nextTurn();
    }
  };
}

/** Also for the test of their query plans. */
export function prepareUnrecorded(db: Db) {
  const { seq, action, request, body } = auditEvents;
  return {
    requests: db
      .select({
        ord: requests.ord,
        id: requests.id,
        status: requests.status,
        extendsGrantId: requests.extendsGrantId,
      })
      .from(requests)
      .where(gt(requests.ord, sql.placeholder("after")))
      .orderBy(asc(requests.ord))
      .limit(stateChunk)
      .prepare(),
    grants: db
      .select({ ord: grants.ord, id: grants.id, requestId: grants.requestId, phase: grants.phase })
      .from(grants)
      .where(gt(grants.ord, sql.placeholder("after")))
      .orderBy(asc(grants.ord))
      .limit(stateChunk)
      .prepare(),
    records: db
      .select({
        seq,
        action,
        grant: sql<
          string | null
        >`(CASE WHEN json_valid(${body}) THEN json_extract(${body}, '$.data.grant') END)`,
      })
      .from(auditEvents)
      .where(and(eq(request, sql.placeholder("request")), gt(seq, sql.placeholder("after"))))
      .orderBy(asc(seq))
      .limit(recordChunk)
      .prepare(),
  };
}
