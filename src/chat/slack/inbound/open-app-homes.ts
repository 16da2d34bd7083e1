/** The App Homes that people have opened lately. They are published again when a request in them changes. */
export interface OpenAppHomes {
  /** `channel`: the person's private channel with the bot. */
  opened(user: string, channel: string): void;
  /** A card was written at this address, so the home of its reader has changed too. */
  changedAt(address: string): void;
  stop(): void;
}

/** How long after its opening a home is kept up to date. */
const openForMs = 60 * 60_000;
const homesMax = 500;
/** One change often rewrites several cards. */
const debounceMs = 500;

/** @param publish Publishes this person's current home. */
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
        if (now() - at < openForMs) publishSoon(user);
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
