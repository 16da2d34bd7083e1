import { refuse, type Refusal } from "../../core/values/refusals.ts";
import type { Caller } from "../ports/caller.ts";

/** Runs the work, or refuses it while this caller has reached the limit. Counted per key, or per person in chat. */
export type ConcurrencyLimit = <T>(caller: Caller, work: () => Promise<T | Refusal>) => Promise<T | Refusal>;

export function createConcurrencyLimit(max: number): ConcurrencyLimit {
  const running = new Map<string, number>();
  return async (caller, work) => {
    const name = caller.key?.id ?? caller.identity.id;
    const count = running.get(name) ?? 0;
    if (count >= max) {
      return refuse("rate_limited", `At most ${max} of these run at the same time; wait for one to end.`, {
        retryAfterSeconds: 1,
      });
    }
    running.set(name, count + 1);
    try {
      return await work();
    } finally {
      const left = (running.get(name) ?? 1) - 1;
      if (left === 0) running.delete(name);
      else running.set(name, left);
    }
  };
}
