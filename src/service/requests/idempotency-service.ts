import { isRefusal, refuse, type Refusal } from "../../core/values/refusals.ts";
import { dayMs } from "../../core/values/time.ts";
import type { ServiceContext } from "../decisions/load-facts.ts";
import type { IdempotentCall } from "../ports/idempotent-call.ts";
import type { IdempotencyRecord } from "../ports/store.ts";
import { recordOnly } from "../decisions/decide-and-commit.ts";

/** How long an answer is kept (docs/api.md#idempotency). */
const retentionMs = dayMs;

/** Stored answers of calls with an Idempotency-Key. */
export interface IdempotencyService {
  /** The stored answer, if this call was made before. Refused when it was made with another body. */
  find(idempotentCall: IdempotentCall): Promise<IdempotencyRecord | Refusal | undefined>;
  /** Stores an answer that no commit has stored: a refusal, or what an administrator created. */
  save(idempotentCall: IdempotentCall, status: number, body: string): Promise<void>;
}

export function createIdempotencyService({ store, runtime }: ServiceContext): IdempotencyService {
  const find: IdempotencyService["find"] = async (idempotentCall) => {
    const kept = await store.idempotencyRecord(
      idempotentCall.keyId,
      idempotentCall.call,
      idempotentCall.idempotencyKey,
    );
    if (kept === undefined || runtime.now() - kept.at >= retentionMs) return undefined;
    return kept.bodyHash === idempotentCall.bodyHash
      ? kept
      : refuse("idempotency_mismatch", "This Idempotency-Key was used with another body; use a new key.");
  };
  return {
    find,
    async save(idempotentCall, status, body) {
      const kept = await find(idempotentCall);
      if (isRefusal(kept) || (kept !== undefined && kept.status !== 0)) return;
      await store.commit({
        ...recordOnly([]),
        idempotencyRecord: { ...idempotentCall, status, body, at: runtime.now() },
      });
    },
  };
}
