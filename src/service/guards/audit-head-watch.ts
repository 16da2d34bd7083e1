import { refuse } from "../../core/values/refusals.ts";
import type { AccessHold } from "./access-hold.ts";
import type { AuditHead, HeadComparison, Reads } from "../ports/store.ts";

/** Where the last head seen is kept, outside the database. */
export interface LastHeadStore {
  readonly read: () => AuditHead | "unreadable" | undefined;
  readonly write: (head: AuditHead) => Promise<void>;
}

/** Compares the audit log with the last head seen, and remembers its head as long as it fits. */
export interface AuditHeadWatch {
  /** As of the last comparison. What once did not fit stays so until an operator accepts the log. */
  readonly state: () => HeadComparison;
  /** Compares afresh. */
  readonly check: () => Promise<HeadComparison>;
  /** Compares afresh, and keeps the head of this moment when the log fits. */
  readonly remember: () => Promise<void>;
  readonly hold: AccessHold;
}

/** @param onLost called once, when the log turns out not to contain the last head seen. */
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
      // Read from what is committed, so the kept head is never ahead of the log.
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
