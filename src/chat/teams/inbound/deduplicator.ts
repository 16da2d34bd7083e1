import { minuteMs } from "../../../core/values/time.ts";

/** Teams repeats a call that was not answered within about ten seconds. */
const rememberedMs = minuteMs;
const rememberedMax = 1_000;

/**
 * Runs the work for each key once; a repeated call gets the same answer. Answers are kept for a minute. A secret answer
 * is never kept: a repeated press is answered from the state.
 */
export interface Deduplicator<T> {
  once(key: string, work: () => Promise<T>): Promise<T>;
}

export function createDeduplicator<T>(now: () => number, isSecret: (answer: T) => boolean): Deduplicator<T> {
  const known = new Map<string, { readonly answer: Promise<T>; readonly at: number }>();

  const forgetOld = (): void => {
    for (const [key, { at }] of known) {
      if (known.size <= rememberedMax && now() - at < rememberedMs) return;
      known.delete(key);
    }
  };

  return {
    async once(key, work) {
      forgetOld();
      const earlier = known.get(key);
      if (earlier !== undefined) return earlier.answer;
      const answer = work();
      known.set(key, { answer, at: now() });
      try {
        const result = await answer;
        if (isSecret(result)) known.delete(key);
        return result;
      } catch (error) {
        known.delete(key);
        throw error;
      }
    },
  };
}
