import type { AuditHead, HeadComparison } from "../../../service/ports/store.ts";
import { chainStart } from "../../shared/audit-chain.ts";
import { desc, eq } from "drizzle-orm";
import { translateErrors } from "../tables/sqlite-faults.ts";
import { auditEvents } from "../tables/schema.ts";
import { placeholder, type Tables } from "../tables/placeholders.ts";

/** The head of a log without a record. */
const emptyHead: AuditHead = { seq: 0, hash: chainStart };

export interface HeadReads {
  readonly last: () => AuditHead;
  readonly compare: (seen: AuditHead) => HeadComparison;
}

/** The last record, and whether the log still contains one that was the last before. */
export function createHeadReads(tables: Tables): HeadReads {
  const { seq, hash } = auditEvents;
  const last = tables.select({ seq, hash }).from(auditEvents).orderBy(desc(seq)).limit(1).prepare();
  const at = tables
    .select({ hash })
    .from(auditEvents)
    .where(eq(seq, placeholder("seq", seq)))
    .prepare();
  const head = (): AuditHead => translateErrors(() => last.get() ?? emptyHead);
  return {
    last: head,
    compare: (seen) => {
      if (head().seq < seen.seq) return "shorter";
      const found = seen.seq === 0 ? chainStart : translateErrors(() => at.get({ seq: seen.seq })?.hash);
      return found === seen.hash ? "matches" : "differs";
    },
  };
}
