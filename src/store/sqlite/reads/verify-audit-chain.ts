import canonicalize from "canonicalize";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { AuditHead, AuditVerdict } from "../../../service/ports/store.ts";
import { chainHash, chainStart } from "../../shared/audit-chain.ts";
import { and, asc, count, gt, lte, sql } from "drizzle-orm";
import { createHeadReads } from "./audit-head.ts";
import { auditEvents } from "../tables/audit-events.ts";
import type { Db } from "../tables/database.ts";

/** Records checked before the event loop may run other work. */
const chunkSize = 500;

type Link = AuditHead;

/**
 * Recomputes the chain up to the record that is last at the beginning, and stops at the first that does not match. Only
 * a head stored elsewhere can show that records at the end were cut off.
 */
export async function verifyChain(db: Db, seen?: AuditHead): Promise<AuditVerdict> {
  const heads = createHeadReads(db);
  const tail = seen === undefined ? "unproven" : heads.compare(seen);
  const statements = prepareStatements(db);
  const { seq: upTo, hash: head } = heads.last();
  const events = statements.count.get({ upTo })?.events ?? 0;
  const firstBad = await firstBadRecord(statements, upTo);
  const ok = firstBad === undefined && (tail === "unproven" || tail === "matches");
  return { ok, events, head, tail, ...(firstBad !== undefined && { firstBad }) };
}

async function firstBadRecord(
  statements: ReturnType<typeof prepareStatements>,
  upTo: number,
): Promise<AuditVerdict["firstBad"]> {
  let link: Link = { seq: 0, hash: chainStart };
  let after = Number.MIN_SAFE_INTEGER;
  while (after < upTo) {
    const rows = statements.chunk.all({ after, upTo });
    for (const row of rows) {
      const kind = faultIn(row, link);
      if (kind !== undefined) return { seq: Math.min(row.seq, link.seq + 1), kind };
      link = row;
    }
    after = rows.at(-1)?.seq ?? upTo;
    await nextTurn();
  }
  return undefined;
}

interface StoredRecord extends Link {
  /** Bytes, because broken UTF-8 would be read as U+FFFD in text. */
  readonly body: Buffer | null;
}

function faultIn(row: StoredRecord, previous: Link): "gap" | "hash" | "body" | undefined {
  if (row.seq !== previous.seq + 1) return "gap";
  if (row.body === null || chainHash(previous.hash, row.seq, row.body) !== row.hash) return "hash";
  return isCanonical(row.body.toString("utf8")) ? undefined : "body";
}

function isCanonical(text: string): boolean {
  try {
    return canonicalize(JSON.parse(text)) === text;
  } catch {
    return false;
  }
}

function prepareStatements(db: Db) {
  const { seq, hash } = auditEvents;
  const upTo = lte(seq, sql.placeholder("upTo"));
  return {
    count: db.select({ events: count() }).from(auditEvents).where(upTo).prepare(),
    chunk: db
      .select({ seq, hash, body: sql<Buffer | null>`CAST(${auditEvents.body} AS BLOB)` })
      .from(auditEvents)
      .where(and(gt(seq, sql.placeholder("after")), upTo))
      .orderBy(asc(seq))
      .limit(chunkSize)
      .prepare(),
  };
}
