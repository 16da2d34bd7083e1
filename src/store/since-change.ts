import type { Write } from "../service/ports.ts";
import { recordOf } from "./step-soundness.ts";

/** What is asked again and again between two changes of it. */
export type Part = "directory" | "rulebook" | "requests";

/**
 * What was read of a part since it was last written to, and is therefore still so. A step has forgotten what it writes to
 * before anybody can read again, so a change is seen by the first read after it.
 */
export interface SinceChange {
  /** The same read, done once for each key between two changes. What is not there is looked for each time. */
  remembering<T>(part: Part, read: (key: string) => T | undefined): (key: string) => T | undefined;
  /** To be called in the same turn as the COMMIT; also for what may yet be taken back. */
  readonly changing: (writes: readonly Write[]) => void;
}

/** Kept at once by each read, some 10 MB; with more the memory starts anew. */
const keysMax: Readonly<Record<Part, number>> = { directory: 10_000, rulebook: 1, requests: 2_000 };

export function createSinceChange(): SinceChange {
  const memories: Readonly<Record<Part, Map<string, unknown>[]>> = {
    directory: [],
    rulebook: [],
    requests: [],
  };
  return {
    remembering<T>(part: Part, read: (key: string) => T | undefined) {
      const known = new Map<string, T>();
      memories[part].push(known);
      return (key) => {
        const before = known.get(key);
        if (before !== undefined) return before;
        const found = read(key);
        if (found === undefined) return undefined;
        if (known.size >= keysMax[part]) known.clear();
        known.set(key, found);
        return found;
      };
    },
    changing: (writes) => {
      for (const write of writes) {
        const changed = changedBy(write);
        if (changed === undefined) continue;
        for (const known of memories[changed.part]) {
          if (changed.key === undefined) known.clear();
          else known.delete(changed.key);
        }
      }
    },
  };
}

/**
 * What is no longer so: of requests the one, kept under its id with its grant; of the others everything, so that nobody
 * has to know who depends on whom. Undefined: nothing that is remembered.
 */
function changedBy(write: Write): { readonly part: Part; readonly key?: string } | undefined {
  if (write.kind === "grant") return { part: "requests", key: write.value.requestId };
  const record = recordOf(write);
  switch (record?.kind) {
    case "request":
      return { part: "requests", key: record.id };
    case "identity":
    case "key":
      return { part: "directory" };
    case "rulebook":
      return { part: "rulebook" };
    default:
      return undefined;
  }
}
