import type { AuditFilter, AuditRow, Reads } from "../../../service/ports/store.ts";
import { chainStart } from "../../shared/audit-chain.ts";
import { createHeadReads } from "./audit-head.ts";
import { verifyChain } from "./verify-audit-chain.ts";
import { and, asc, eq, gt, sql } from "drizzle-orm";
import { alias } from "drizzle-orm/sqlite-core";
import { auditEvents } from "../tables/audit-events.ts";
import type { Db } from "../tables/database.ts";
import { findUnrecorded } from "./find-unrecorded.ts";

/** The audit log, in ascending order. */
type AuditReads = Pick<Reads, "auditEvents" | "auditHead" | "compareHead" | "verifyAudit" | "unrecorded">;

export function createAuditReads(db: Db): AuditReads {
  const read = readerOf(db);
  const heads = createHeadReads(db);
  return {
    auditEvents: async (filter) => read(filter).map(asAuditRow),
    auditHead: async () => heads.last(),
    compareHead: async (seen) => heads.compare(seen),
    verifyAudit: async (seen) => verifyChain(db, seen),
    unrecorded: async (limit) => findUnrecorded(db, limit),
  };
}

interface FoundRow extends Omit<AuditRow, "previousHash"> {
  readonly previousHash: string | null;
}

function asAuditRow(row: FoundRow): AuditRow {
  return { ...row, previousHash: row.previousHash ?? chainStart };
}

function readerOf(db: Db): (filter: AuditFilter) => readonly FoundRow[] {
  const statements = prepareAuditStatements(db);
  return (filter) => {
    const byAction = filter.action === undefined ? statements.all : statements.action;
    const byBoth = filter.action === undefined ? statements.request : statements.both;
    return (filter.request === undefined ? byAction : byBoth).all({ ...filter });
  };
}

/** One statement for each set of filters. Also for the test of their query plans. */
export function prepareAuditStatements(db: Db) {
  const isOfRequest = eq(auditEvents.request, sql.placeholder("request"));
  const isOfAction = eq(auditEvents.action, sql.placeholder("action"));
  return {
    all: auditQuery(db),
    request: auditQuery(db, isOfRequest),
    action: auditQuery(db, isOfAction),
    both: auditQuery(db, and(isOfRequest, isOfAction)),
  };
}

function auditQuery(db: Db, which?: ReturnType<typeof eq>) {
  const { seq, body, hash } = auditEvents;
  const previous = alias(auditEvents, "previous");
  return db
    .select({ seq, body, hash, previousHash: previous.hash })
    .from(auditEvents)
    .leftJoin(previous, eq(previous.seq, sql`${seq} - 1`))
    .where(and(gt(seq, sql.placeholder("after")), which))
    .orderBy(asc(seq))
    .limit(sql.placeholder("limit"))
    .prepare();
}
