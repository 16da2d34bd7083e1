import type { Refusal } from "../core/refusals.ts";
import { actorOf, lacksRole, type Caller } from "./caller.ts";
import type { ServiceContext } from "./loading.ts";
import type { AuditFilter, AuditRow, AuditVerdict, Reads } from "./ports.ts";
import { recordOnly } from "./step.ts";

export interface AuditService {
  /** Ascending by `seq`. */
  events(caller: Caller, filter: AuditFilter): Promise<readonly AuditRow[] | Refusal>;
  /** Every record there is at this moment, ascending; that it was taken out goes on record first. */
  exported(caller: Caller, format: string): Promise<AsyncIterable<AuditRow> | Refusal>;
  /** Recomputes the whole chain. A tail that was cut off whole cannot be seen from inside: keep `head` elsewhere. */
  verify(caller: Caller): Promise<AuditVerdict | Refusal>;
}

/** Rows read at a time while exporting. */
const exportBatch = 500;

export function createAuditService({
  store,
  surroundings,
}: Pick<ServiceContext, "store" | "surroundings">): AuditService {
  return {
    async exported(caller, format) {
      const missing = lacksRole(caller, "auditor", "admin");
      if (missing !== undefined) return missing;
      const { seq } = await store.auditHead();
      const entry = {
        at: surroundings.now(),
        action: "audit.exported",
        actor: actorOf(caller),
        data: { format, upTo: seq },
      } as const;
      await store.commit(recordOnly([entry]));
      return rowsUpTo(store, seq);
    },
    async events(caller, filter) {
      return lacksRole(caller, "auditor", "admin") ?? store.auditEvents(filter);
    },
    async verify(caller) {
      return lacksRole(caller, "auditor", "admin") ?? store.verifyAudit();
    },
  };
}

async function* rowsUpTo(store: Pick<Reads, "auditEvents">, last: number): AsyncGenerator<AuditRow> {
  let after = 0;
  while (after < last) {
    const rows = await store.auditEvents({ after, limit: Math.min(exportBatch, last - after) });
    if (rows.length === 0) return;
    yield* rows;
    after = rows.at(-1)?.seq ?? last;
  }
}
