import type { AuditHead, HeadComparison } from "../../../service/ports/store.ts";
import { chainStart } from "../../shared/audit-chain.ts";
import { desc, eq, sql } from "drizzle-orm";
import { auditEvents } from "../tables/audit-events.ts";
import type { Db } from "../tables/database.ts";

/** The head of an empty log. */
const emptyHead: AuditHead = { seq: 0, hash: chainStart };

export interface HeadReads {
  readonly last: () => AuditHead;
  readonly compare: (seen: AuditHead) => HeadComparison;
}

/** The last record, and whether the log still contains a record that was the last before. */
export function createHeadReads(db: Db): HeadReads {
  const { seq, hash } = auditEvents;
  const last = db.select({ seq, hash }).from(auditEvents).orderBy(desc(seq)).limit(1).prepare();
  const at = db
    .select({ hash })
    .from(auditEvents)
    .where(eq(seq, sql.placeholder("seq")))
    .prepare();
  const head = (): AuditHead => last.get() ?? emptyHead;
  return {
    last: head,
    compare: (seen) => {
      if (head().seq < seen.seq) return "shorter";
      const found = seen.seq === 0 ? chainStart : at.get({ seq: seen.seq })?.hash;
      return found === seen.hash ? "matches" : "differs";
    },
  };
}
