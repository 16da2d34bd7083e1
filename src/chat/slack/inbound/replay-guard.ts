/** Longer than a signature is taken for, in both directions together. */
const keptMs = 11 * 60_000;
/** What many calls in that time would take; with more the oldest are forgotten. */
const keptMax = 50_000;

/** The signatures of calls that were taken: Slack signs each of its own anew, so the same one again is somebody else's. */
export interface Replays {
  /** Remembers it. @param now Epoch milliseconds. */
  isFirst(signature: string, now: number): boolean;
  /** It was not Slack's after all. */
  forget(signature: string): void;
}

export function createReplays(): Replays {
  const seen = new Map<string, number>();
  return {
    isFirst(signature, now) {
      for (const [oldest, at] of seen) {
        if (seen.size <= keptMax && now - at < keptMs) break;
        seen.delete(oldest);
      }
      if (seen.has(signature)) return false;
      seen.set(signature, now);
      return true;
    },
    forget: (signature) => void seen.delete(signature),
  };
}
