import type { Expectation, Step, Write } from "../../service/ports/store.ts";
import { recordOf } from "./step-records.ts";

/** What is asked again and again between two changes of it. */
export type CacheRegion = "directory" | "rulebook" | "requests";

/**
 * What was read of a part since it was last written to, and is therefore still so. A change is seen by every read that
 * begins after whoever made it has heard that it is on disk.
 */
export interface ReadCache {
  /**
   * The same read, done once for each key between two changes. What is not there is looked for each time.
   *
   * @param update what a step that has been written makes of it; undefined: that has to be read.
   */
  cached<T>(
    part: CacheRegion,
    read: (key: string) => T | undefined,
    update?: (key: string, before: T | undefined, step: Step) => T | undefined,
  ): (key: string) => T | undefined;
  /**
   * To be called with the steps that are on disk from now on, in the order they were written, before anybody hears of
   * them. What is read in between may be of before or after; whoever decides on it is told so by the versions.
   */
  readonly applyCommitted: (steps: readonly Step[]) => void;
  /** To be called with steps that were not written: what they were decided from may no longer be so, and is read again. */
  readonly invalidate: (steps: readonly Step[]) => void;
}

/** Kept at once by each read, some 10 MB; with more the memory starts anew. */
const keysMax: Readonly<Record<CacheRegion, number>> = { directory: 10_000, rulebook: 1, requests: 2_000 };

interface CacheEntrySet {
  /** Goes along with a step that has changed what is kept under this key. */
  readonly update: (key: string, step: Step) => void;
  /** Without a key, all of it. */
  readonly evict: (key: string | undefined) => void;
}

export function createReadCache(): ReadCache {
  const entrySets: Readonly<Record<CacheRegion, CacheEntrySet[]>> = {
    directory: [],
    rulebook: [],
    requests: [],
  };
  return {
    cached<T>(
      part: CacheRegion,
      read: (key: string) => T | undefined,
      update: (key: string, before: T | undefined, step: Step) => T | undefined = () => undefined,
    ) {
      const known = new Map<string, T>();
      const put = (key: string, value: T): void => {
        if (known.size >= keysMax[part]) known.clear();
        known.set(key, value);
      };
      entrySets[part].push({
        update: (key, step) => {
          const now = update(key, known.get(key), step);
          if (now === undefined) known.delete(key);
          else put(key, now);
        },
        evict: (key) => {
          if (key === undefined) known.clear();
          else known.delete(key);
        },
      });
      return (key) => {
        const hit = known.get(key);
        if (hit !== undefined) return hit;
        const found = read(key);
        if (found !== undefined) put(key, found);
        return found;
      };
    },
    applyCommitted: (steps) => {
      for (const step of steps) {
        for (const write of step.writes) {
          const change = cacheChangeOf(write);
          if (change === undefined) continue;
          for (const entrySet of entrySets[change.part]) {
            if (change.key === undefined) entrySet.evict(undefined);
            else entrySet.update(change.key, step);
          }
        }
      }
    },
    invalidate: (steps) => {
      for (const { writes, expects } of steps) {
        for (const change of [...writes.map(cacheChangeOf), ...expects.map(cacheKeyOf)]) {
          if (change === undefined) continue;
          for (const entrySet of entrySets[change.part]) entrySet.evict(change.key);
        }
      }
    },
  };
}

interface CacheChange {
  readonly part: CacheRegion;
  readonly key?: string;
}

/** Undefined: nothing that is remembered. */
function cacheChangeOf(write: Write): CacheChange | undefined {
  if (write.kind === "grant") return { part: "requests", key: write.value.requestId };
  const record = recordOf(write);
  return record && cacheKeyOf(record);
}

/**
 * Where a record is remembered: of requests the one, kept under its id with its grant; of the others everything, so that
 * nobody has to know who depends on whom.
 */
function cacheKeyOf({ kind, id }: Pick<Expectation, "kind" | "id">): CacheChange | undefined {
  switch (kind) {
    case "request":
      return { part: "requests", key: id };
    case "identity":
    case "key":
      return { part: "directory" };
    case "rulebook":
      return { part: "rulebook" };
    case "grant":
      return undefined;
  }
}
