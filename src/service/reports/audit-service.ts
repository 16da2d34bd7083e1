import type { Refusal } from "../../core/values/refusals.ts";
import { actorOf, lacksRole, type Caller } from "../ports/caller.ts";
import type { ServiceContext } from "../decisions/load-facts.ts";
import type { AuditFilter, AuditHead, AuditRow, AuditVerdict, Reads, Unrecorded } from "../ports/store.ts";
import type { RefusalLog } from "./refusal-log.ts";
import { recordOnly } from "../decisions/decide-and-commit.ts";
import { createKeyedMutex } from "../async/keyed-mutex.ts";

/** A kind of read; refused reads are recorded with it. */
export type AuditRead = "events" | "export" | "verify";

export interface LogVerdict extends AuditVerdict {
  /** Requests and grants without the records that explain their state, at most {@link missingMax}. */
  readonly missing?: readonly Unrecorded[];
}

export interface AuditService {
  /** Ascending by `seq`. */
  events(caller: Caller, filter: AuditFilter): Promise<readonly AuditRow[] | Refusal>;
  /** Every record up to now, ascending. The export itself is recorded first. */
  exported(caller: Caller, format: string): Promise<AsyncIterable<AuditRow> | Refusal>;
  /**
   * Recomputes the whole chain and compares it with the stored one. Only a head that was stored elsewhere (`seen`)
   * proves that no record is missing at the end.
   */
  verify(caller: Caller, seen?: AuditHead): Promise<LogVerdict | Refusal>;
  /** Records that a read was refused, and returns the refusal. */
  refused(caller: Caller, read: AuditRead, refusal: Refusal): Promise<Refusal>;
}

/** Rows read at a time while exporting. */
const exportBatch = 500;
export const missingMax = 20;

type AuditContext = Pick<ServiceContext, "store" | "runtime" | "checkAuditHead">;

export function createAuditService(
  context: AuditContext,
  refusals: Pick<RefusalLog, "record">,
  onFault: (fault: unknown) => void,
): AuditService {
  const { store, runtime } = context;
  const mutex = createKeyedMutex();
  const refused: AuditService["refused"] = async (caller, read, refusal) => {
    const about = { action: "audit.read_refused", verb: read } as const;
    // The refusal stays a refusal when the store cannot record it.
    await refusals.record(actorOf(caller), about, refusal, runtime.now()).catch(onFault);
    return refusal;
  };
  const mayRead = async (caller: Caller, read: AuditRead): Promise<Refusal | undefined> => {
    const missing = lacksRole(caller, "auditor", "admin");
    return missing === undefined ? undefined : refused(caller, read, missing);
  };
  return {
    refused,
    async exported(caller, format) {
      const refusal = await mayRead(caller, "export");
      if (refusal !== undefined) return refusal;
      const { seq } = await store.auditHead();
      const entry = {
        at: runtime.now(),
        action: "audit.exported",
        actor: actorOf(caller),
        data: { format, upTo: seq },
      } as const;
      await store.commit(recordOnly([entry]));
      return rowsUpTo(store, seq);
    },
    events: async (caller, filter) => (await mayRead(caller, "events")) ?? store.auditEvents(filter),
    async verify(caller, seen) {
      const refusal = await mayRead(caller, "verify");
      if (refusal !== undefined) return refusal;
      // One at a time: each reads the whole log, and several would slow down all other calls.
      const release = await mutex.acquire("verify");
      try {
        return await verify(context, seen);
      } finally {
        release();
      }
    },
  };
}

async function verify(
  { store, checkAuditHead }: AuditContext,
  seen: AuditHead | undefined,
): Promise<LogVerdict> {
  const verdict = await store.verifyAudit(seen);
  const missing = await store.unrecorded(missingMax);
  const own = await checkAuditHead();
  // Also without a given head: the service stores one itself, and the log must contain it.
  const isTailGood = verdict.tail === "unproven" || verdict.tail === "matches";
  const tail = isTailGood && own !== "matches" ? own : verdict.tail;
  // An empty log is wrong, because the creation of the caller's key was recorded.
  const firstBad = verdict.events === 0 ? ({ seq: 1, kind: "gap" } as const) : verdict.firstBad;
  const ok = verdict.ok && own === "matches" && missing.length === 0 && firstBad === undefined;
  const { events, head } = verdict;
  return {
    ok,
    events,
    head,
    tail,
    ...(firstBad !== undefined && { firstBad }),
    ...(missing.length > 0 && { missing }),
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
