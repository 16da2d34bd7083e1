/** Homes that people have opened lately, shown anew when something in them has changed. */
export interface OpenAppHomes {
  /** `channel`: the person's private one with us. */
  opened(user: string, channel: string): void;
  /** A card was written there, so whoever reads it sees something else at home too. */
  changedAt(address: string): void;
  stop(): void;
}

/** An hour after it was opened a home is shown anew only when it is opened again. */
const lookedAtMs = 60 * 60_000;
const homesMax = 500;
/** Several cards are often written for one change. */
const debounceMs = 500;

/** @param publish Shows this person their home as it is now. */
export function createOpenAppHomes(
  publish: (user: string) => Promise<void>,
  now: () => number,
): OpenAppHomes {
  const openHomes = new Map<string, { readonly channel: string; readonly at: number }>();
  const waiting = new Map<string, NodeJS.Timeout>();

  const publishSoon = (user: string): void => {
    if (waiting.has(user)) return;
    const timer = setTimeout(() => {
      waiting.delete(user);
      void publish(user);
    }, debounceMs);
    waiting.set(user, timer);
  };

  return {
    opened(user, channel) {
      openHomes.delete(user);
      openHomes.set(user, { channel, at: now() });
      const [oldest] = openHomes.keys();
      if (openHomes.size > homesMax && oldest !== undefined) openHomes.delete(oldest);
    },
    changedAt(address) {
      for (const [user, { channel, at }] of openHomes) {
        if (user !== address && channel !== address) continue;
        if (now() - at < lookedAtMs) publishSoon(user);
        else openHomes.delete(user);
      }
    },
    stop() {
      for (const timer of waiting.values()) clearTimeout(timer);
      waiting.clear();
      openHomes.clear();
    },
  };
}
