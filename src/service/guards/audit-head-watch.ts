import { refuse } from "../../core/values/refusals.ts";
import type { AccessHold } from "./access-hold.ts";
import type { AuditHead, HeadComparison, Reads } from "../ports/store.ts";

/** Where the last seen head is stored, outside the database. */
export interface LastHeadStore {
  readonly read: () => AuditHead | "unreadable" | undefined;
  readonly write: (head: AuditHead) => Promise<void>;
}

/** Compares the audit log with the last seen head, and stores the new head while they match. */
export interface AuditHeadWatch {
  /** Result of the last comparison. A mismatch stays until an operator accepts the log. */
  readonly state: () => HeadComparison;
  /** Compares again. */
  readonly check: () => Promise<HeadComparison>;
  /** Compares again, and stores the current head when they match. */
  readonly remember: () => Promise<void>;
  readonly hold: AccessHold;
}

/** @param onLost Called once, when the log does not contain the last seen head. */
export function createAuditHeadWatch(
  store: Pick<Reads, "auditHead" | "compareHead">,
  kept: LastHeadStore,
  onLost: (state: HeadComparison, seen: AuditHead | undefined) => void,
): AuditHeadWatch {
  const found = kept.read();
  let seen = found === "unreadable" ? undefined : found;
  let state: HeadComparison = found === "unreadable" ? "differs" : "matches";
  if (found === "unreadable") onLost(state, undefined);

  const check = async (): Promise<HeadComparison> => {
    if (state !== "matches" || seen === undefined) return state;
    state = await store.compareHead(seen);
    if (state !== "matches") onLost(state, seen);
    return state;
  };
  return {
    state: () => state,
    check,
    async remember() {
      if ((await check()) !== "matches") return;
      // Reads committed state, so that the stored head is never ahead of the log.
      const head = await store.auditHead();
      if (seen?.hash === head.hash) return;
      await kept.write(head);
      seen = head;
    },
    hold: () =>
      state === "matches"
        ? undefined
        : refuse(
            "audit_head_differs",
            "The audit log does not contain the last record that was seen, so no new access is given. An administrator compares the log, and accepts it.",
            { retryAfterSeconds: 60 },
          ),
  };
}
