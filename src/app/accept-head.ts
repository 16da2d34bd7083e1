import { instant } from "../core/values/ids.ts";
import { operator } from "../service/grants/accept-clock.ts";
import type { AuditHead, Reads } from "../service/ports/store.ts";
import { recordOnly } from "../service/decisions/decide-and-commit.ts";
import { lastHeadFile, openStore } from "../store/open-store.ts";
import { packageRoot } from "./package-root.ts";

export type HeadAcceptance =
  | { readonly is: "accepted"; readonly head: AuditHead; readonly isChainWhole: boolean }
  /** The log contains the last head that was seen. */
  | { readonly is: "not_needed"; readonly head: AuditHead }
  /** No record of the log has this hash. */
  | { readonly is: "unknown"; readonly head: AuditHead };

const pageSize = 1_000;

/**
 * Accepts an audit log that lacks the last head seen, when the operator names one of its records by hash. The acceptance
 * is recorded, and the head of the log becomes the last one seen.
 */
export async function acceptHead(databaseFile: string, hash: string): Promise<HeadAcceptance> {
  let fatal: Error | undefined;
  const store = await openStore({ databaseFile, packageRoot, onFatal: (error) => (fatal = error) });
  try {
    const headFile = lastHeadFile(databaseFile);
    const seen = headFile.read();
    const head = await store.auditHead();
    const isKnown = seen !== undefined && seen !== "unreadable";
    if (isKnown && (await store.compareHead(seen)) === "matches") return { is: "not_needed", head };
    if (head.hash !== hash && !(await hasRecord(store, hash))) return { is: "unknown", head };
    const { ok: isChainWhole } = await store.verifyAudit();
    const data = { hash, upTo: head.seq, lastSeen: isKnown ? seen.seq : null, isChainWhole };
    const at = instant(Math.max(Date.now(), (await store.clockMark()) ?? 0));
    await store.commit(recordOnly([{ at, action: "audit.head_accepted", actor: operator, data }]));
    if (fatal !== undefined) throw fatal;
    const accepted = await store.auditHead();
    await headFile.write(accepted);
    return { is: "accepted", head: accepted, isChainWhole };
  } finally {
    await store.close();
  }
}

/** The record need not be the last: the service may have recorded more since the operator read the log. */
async function hasRecord(store: Pick<Reads, "auditEvents">, hash: string): Promise<boolean> {
  let after = 0;
  for (;;) {
    const rows = await store.auditEvents({ after, limit: pageSize });
    if (rows.some((row) => row.hash === hash)) return true;
    if (rows.length < pageSize) return false;
    after = rows.at(-1)?.seq ?? after;
  }
}
