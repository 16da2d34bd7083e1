import type { AuditEntry } from "../../../core/audit/audit-record.ts";
import { auditBody } from "../../shared/audit-body.ts";
import { chainHash, chainStart } from "../../shared/audit-chain.ts";
import { desc } from "drizzle-orm";
import { auditEvents } from "../tables/schema.ts";
import { prepareRead } from "../tables/prepare-read.ts";
import { prepareWrite } from "../tables/prepare-write.ts";
import { placeholder, type Tables } from "../tables/placeholders.ts";

/** Gives audit records their place in the chain. The chain's end is read under the write lock each time. */
export function prepareAudit(tables: Tables) {
  const { seq, hash } = auditEvents;
  // Without a LIMIT, for SQLite looks at its value too and plans anew each time; `get` stops after one row.
  const head = prepareRead(tables, [seq, hash], (selected) => selected.from(auditEvents).orderBy(desc(seq)));
  const insert = prepareWrite(
    tables,
    tables.insert(auditEvents).values({
      seq: placeholder("seq", seq),
      body: placeholder("body", auditEvents.body),
      hash: placeholder("hash", hash),
    }),
  );
  return {
    append: (entries: readonly AuditEntry[]): void => {
      if (entries.length === 0) return;
      let [lastSeq, lastHash] = head.get() ?? [0, chainStart];
      for (const entry of entries) {
        const body = auditBody(entry);
        lastHash = chainHash(lastHash, ++lastSeq, body);
        insert.run({ seq: lastSeq, body, hash: lastHash });
      }
    },
  };
}
