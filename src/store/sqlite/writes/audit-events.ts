import { desc } from "drizzle-orm";
import type { AuditEntry } from "../../../core/audit/audit-record.ts";
import { auditBody } from "../../shared/audit-body.ts";
import { chainHash, chainStart } from "../../shared/audit-chain.ts";
import { auditEvents } from "../tables/audit-events.ts";
import type { Db } from "../tables/database.ts";
import { placeholdersFor, type NewRow } from "../tables/placeholders.ts";

/** Appends audit records to the hash chain. The end of the chain is read each time, under the write lock. */
export function prepareAuditWrites(db: Db) {
  const { seq, hash } = auditEvents;
  const lastRecord = db.select({ seq, hash }).from(auditEvents).orderBy(desc(seq)).limit(1).prepare();
  const insert = db.insert(auditEvents).values(placeholdersFor(auditEvents)).prepare();
  return {
    append: (entries: readonly AuditEntry[]): void => {
      if (entries.length === 0) return;
      let last = lastRecord.get() ?? { seq: 0, hash: chainStart };
      for (const entry of entries) {
        const body = auditBody(entry);
        last = { seq: last.seq + 1, hash: chainHash(last.hash, last.seq + 1, body) };
        insert.run({ ...last, body } satisfies NewRow<typeof auditEvents>);
      }
    },
  };
}
