/** Longer than a signature is valid, from five minutes ahead to five minutes old. */
const keptMs = 11 * 60_000;
/** Enough for the calls in that time; beyond it the oldest are forgotten. */
const keptMax = 50_000;

/** Rejects replayed calls. Slack never uses a signature twice, so a repeated one comes from somebody else. */
export interface ReplayGuard {
  /** Whether the signature is new; it is remembered. @param now Epoch milliseconds. */
  isFirst(signature: string, now: number): boolean;
  /** Forgets a signature that turned out not to be Slack's. */
  forget(signature: string): void;
}

export function createReplayGuard(): ReplayGuard {
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
