import type { Expectation, Step, Write } from "../../service/ports/store.ts";
import { recordOf } from "./step-records.ts";

/**
 * Records that are evicted together: any write to an identity or a key evicts all of both, so that nobody has to track
 * which cached value depends on which record.
 */
export type CacheRegion = "directory" | "rulebook";

/** Caches reads until a commit changes what they read. */
export interface ReadCache {
  /** The same read, run once per key until its region is evicted. A key that is not found is read again each time. */
  cached<T>(region: CacheRegion, read: (key: string) => T | undefined): (key: string) => T | undefined;
  /**
   * Must be called after each transaction, before the callers of its steps are answered. Refused steps evict too: they
   * may have been decided from a value that is no longer true.
   */
  readonly evict: (committed: readonly Step[], refused: readonly Step[]) => void;
}

/** Some 10 MB for each cached read. */
const keysMaxDefault = 10_000;

/** @param keysMax values a cached read holds; one more empties it. */
export function createReadCache(keysMax = keysMaxDefault): ReadCache {
  const caches: Readonly<Record<CacheRegion, Map<string, unknown>[]>> = { directory: [], rulebook: [] };
  return {
    cached<T>(region: CacheRegion, read: (key: string) => T | undefined) {
      const values = new Map<string, T>();
      caches[region].push(values);
      return (key) => {
        const hit = values.get(key);
        if (hit !== undefined) return hit;
        const found = read(key);
        if (found === undefined) return undefined;
        if (values.size >= keysMax) values.clear();
        values.set(key, found);
        return found;
      };
    },
    evict: (committed, refused) => {
      const records = [
        ...[...committed, ...refused].flatMap(({ writes }) => writes.map(kindWritten)),
        ...refused.flatMap(({ expects }) => expects.map(({ kind }) => kind)),
      ];
      for (const region of new Set(records.map(regionOf))) {
        if (region !== undefined) for (const values of caches[region]) values.clear();
      }
    },
  };
}

function kindWritten(write: Write): Expectation["kind"] | undefined {
  return recordOf(write)?.kind;
}

function regionOf(kind: Expectation["kind"] | undefined): CacheRegion | undefined {
  switch (kind) {
    case "identity":
    case "key":
      return "directory";
    case "rulebook":
      return "rulebook";
    case "request":
    case "grant":
    case undefined:
      return undefined;
  }
}
