import type { AuditFilter, AuditRow, Reads } from "../../../service/ports/store.ts";
import { chainStart } from "../../shared/audit-chain.ts";
import { createHeadReads } from "./read-audit-head.ts";
import { verifyChain } from "./verify-audit-chain.ts";
import { and, asc, eq, gt, sql } from "drizzle-orm";
import { alias } from "drizzle-orm/sqlite-core";
import { translateErrors } from "../tables/sqlite-faults.ts";
import { auditEvents } from "../tables/schema.ts";
import { placeholder, type Tables } from "../tables/placeholders.ts";
import { findUnrecorded } from "./find-unrecorded.ts";

/** The audit log, ascending. */
type AuditReads = Pick<Reads, "auditEvents" | "auditHead" | "compareHead" | "verifyAudit" | "unrecorded">;

export function createAuditReads(tables: Tables): AuditReads {
  const read = readerOf(tables);
  const heads = createHeadReads(tables);
  return {
    auditEvents: async (filter) => translateErrors(() => read(filter).map(asAuditRow)),
    auditHead: async () => heads.last(),
    compareHead: async (seen) => heads.compare(seen),
    verifyAudit: async (seen) => verifyChain(tables, seen),
    unrecorded: async (limit) => findUnrecorded(tables, limit),
  };
}

interface FoundRow extends Omit<AuditRow, "previousHash"> {
  readonly previousHash: string | null;
}

function asAuditRow(row: FoundRow): AuditRow {
  return { ...row, previousHash: row.previousHash ?? chainStart };
}

function readerOf(tables: Tables): (filter: AuditFilter) => readonly FoundRow[] {
  const statements = prepareAuditStatements(tables);
  return (filter) => {
    const byAction = filter.action === undefined ? statements.all : statements.action;
    const byBoth = filter.action === undefined ? statements.request : statements.both;
    return (filter.request === undefined ? byAction : byBoth).all({ ...filter });
  };
}

/** One for each set of filters. Also for the test that looks at their query plans. */
export function prepareAuditStatements(tables: Tables) {
  const isOfRequest = eq(auditEvents.request, placeholder("request", auditEvents.request));
  const isOfAction = eq(auditEvents.action, placeholder("action", auditEvents.action));
  return {
    all: auditQuery(tables),
    request: auditQuery(tables, isOfRequest),
    action: auditQuery(tables, isOfAction),
    both: auditQuery(tables, and(isOfRequest, isOfAction)),
  };
}

function auditQuery(tables: Tables, which?: ReturnType<typeof eq>) {
  const { seq, body, hash } = auditEvents;
  const previous = alias(auditEvents, "previous");
  return tables
    .select({ seq, body, hash, previousHash: previous.hash })
    .from(auditEvents)
    .leftJoin(previous, eq(previous.seq, sql`${seq} - 1`))
    .where(and(gt(seq, placeholder("after", seq)), which))
    .orderBy(asc(seq))
    .limit(sql.placeholder("limit"))
    .prepare();
}
