import type { Write } from "../service/ports.ts";

/** What is asked at every call and hardly ever changes. */
export type Part = "directory" | "rulebook";

/**
 * What was read of a part since it was last written to, and is therefore still so. Every step that writes to the part has
 * all of it forgotten: nobody has to know what depends on what, and a change is seen by the first read after it.
 */
export interface SinceChange {
  /** The same read, done once for each key between two changes. What is not there is looked for each time. */
  remembering<T>(part: Part, read: (key: string) => T | undefined): (key: string) => T | undefined;
  /** To be called in the same turn as the COMMIT, before anybody can read; also for what may yet be taken back. */
  readonly changing: (writes: readonly Write[]) => void;
}

/** Kept at once by each read, some 10 MB of people; with more the memory starts anew. */
const keysMax = 10_000;

export function createSinceChange(): SinceChange {
  const memories: Record<Part, Map<string, unknown>[]> = { directory: [], rulebook: [] };
  return {
    remembering<T>(part: Part, read: (key: string) => T | undefined) {
      const known = new Map<string, T>();
      memories[part].push(known);
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
    changing: (writes) => {
      for (const { kind } of writes) {
        const part = partOf[kind];
        if (part !== null) for (const known of memories[part]) known.clear();
      }
    },
  };
}

/** Which part each kind of write belongs to; null: to none that is remembered. */
const partOf: Readonly<Record<Write["kind"], Part | null>> = {
  identity: "directory",
  key: "directory",
  policy: "rulebook",
  policyDeleted: "rulebook",
  rules: "rulebook",
  lockdown: "rulebook",
  request: null,
  grant: null,
  credentialFirstUsed: null,
  effectLeased: null,
  effectSettled: null,
  effectPutBack: null,
  leasesEnded: null,
  cursor: null,
  cursorDropped: null,
  copyWanted: null,
  copyTold: null,
  address: null,
  addressGone: null,
};
