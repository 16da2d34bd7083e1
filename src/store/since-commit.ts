/**
 * What was read since the last commit and is therefore still so. It is dropped whole by every commit, whatever that was
 * about: nobody has to know what depends on what, and a change is seen by the first read after it.
 */
export interface SinceCommit {
  /** The same read, done once for each key between two commits. What is not there is looked for each time. */
  remembering<T>(read: (key: string) => T | undefined): (key: string) => T | undefined;
  /** To be called in the same turn as the COMMIT, before anybody can read. */
  readonly forget: () => void;
}

/** Kept at once by each read, some 10 MB of people; with more the memory starts anew. */
const keysMax = 10_000;

export function createSinceCommit(): SinceCommit {
  const memories: Map<string, unknown>[] = [];
  return {
    remembering<T>(read: (key: string) => T | undefined) {
      const known = new Map<string, T>();
      memories.push(known);
      return (key) => {
        const before = known.get(key);
        if (before !== undefined) return before;
        const found = read(key);
        if (found === undefined) return undefined;
        if (known.size >= keysMax) known.clear();
        known.set(key, found);
        return found;
      };
    },
    forget: () => {
      for (const known of memories) known.clear();
    },
  };
}
