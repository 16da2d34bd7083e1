/** Homes that people have opened lately, shown anew when something in them has changed. */
export interface LiveHomes {
  /** `channel`: the person's private one with us. */
  opened(user: string, channel: string): void;
  /** A card was written there, so whoever reads it sees something else at home too. */
  changedAt(place: string): void;
  stop(): void;
}

/** An hour after it was opened a home is shown anew only when it is opened again. */
const lookedAtMs = 60 * 60_000;
const homesMax = 500;
/** Several cards are often written for one change. */
const gatherMs = 500;

/** @param publish Shows this person their home as it is now. */
export function createLiveHomes(publish: (user: string) => Promise<void>, now: () => number): LiveHomes {
  const homes = new Map<string, { readonly channel: string; readonly at: number }>();
  const waiting = new Map<string, NodeJS.Timeout>();

  const publishSoon = (user: string): void => {
    if (waiting.has(user)) return;
    const timer = setTimeout(() => {
      waiting.delete(user);
      void publish(user);
    }, gatherMs);
    waiting.set(user, timer);
  };

  return {
    opened(user, channel) {
      homes.delete(user);
      homes.set(user, { channel, at: now() });
      const [oldest] = homes.keys();
      if (homes.size > homesMax && oldest !== undefined) homes.delete(oldest);
    },
    changedAt(place) {
      for (const [user, { channel, at }] of homes) {
        if (user !== place && channel !== place) continue;
        if (now() - at < lookedAtMs) publishSoon(user);
        else homes.delete(user);
      }
    },
    stop() {
      for (const timer of waiting.values()) clearTimeout(timer);
      waiting.clear();
      homes.clear();
    },
  };
}
