import { isRefusal, refuse, type Refusal } from "../../core/values/refusals.ts";
import { dayMs } from "../../core/values/time.ts";
import type { ServiceContext } from "../decisions/load-facts.ts";
import type { Once } from "../ports/idempotent-call.ts";
import type { KeptAnswer } from "../ports/store.ts";
import { recordOnly } from "../decisions/decide-and-commit.ts";

/** How long an answer is kept (contract §3). */
const keptMs = dayMs;

/** Answers of calls made with an Idempotency-Key. */
export interface AnswersService {
  /** The kept answer, if this call was made before; a refusal when it was made with another body. */
  find(once: Once): Promise<KeptAnswer | Refusal | undefined>;
  /** Keeps an answer that no commit of its own has kept: a refusal, or what an administrator made. */
  keep(once: Once, status: number, body: string): Promise<void>;
}

export function createAnswersService({ store, surroundings }: ServiceContext): AnswersService {
  const find: AnswersService["find"] = async (once) => {
    const kept = await store.answer(once.keyId, once.call, once.idempotencyKey);
    if (kept === undefined || surroundings.now() - kept.at >= keptMs) return undefined;
    return kept.bodyHash === once.bodyHash
      ? kept
      : refuse("idempotency_mismatch", "This Idempotency-Key was used with another body; use a new key.");
  };
  return {
    find,
    async keep(once, status, body) {
      const kept = await find(once);
      if (isRefusal(kept) || (kept !== undefined && kept.status !== 0)) return;
      await store.commit({ ...recordOnly([]), answer: { ...once, status, body, at: surroundings.now() } });
    },
  };
}
