import type { Expectation, Step, Write } from "../../service/ports/store.ts";
import { recordOf } from "./step-records.ts";

/** What is asked again and again between two changes of it. */
export type Part = "directory" | "rulebook" | "requests";

/**
 * What was read of a part since it was last written to, and is therefore still so. A change is seen by every read that
 * begins after whoever made it has heard that it is on disk.
 */
export interface SinceChange {
  /**
   * The same read, done once for each key between two changes. What is not there is looked for each time.
   *
   * @param following what a step that has been written makes of it; undefined: that has to be read.
   */
  remembering<T>(
    part: Part,
    read: (key: string) => T | undefined,
    following?: (key: string, before: T | undefined, step: Step) => T | undefined,
  ): (key: string) => T | undefined;
  /**
   * To be called with the steps that are on disk from now on, in the order they were written, before anybody hears of
   * them. What is read in between may be of before or after; whoever decides on it is told so by the versions.
   */
  readonly changed: (steps: readonly Step[]) => void;
  /** To be called with steps that were not written: what they were decided from may no longer be so, and is read again. */
  readonly doubted: (steps: readonly Step[]) => void;
}

/** Kept at once by each read, some 10 MB; with more the memory starts anew. */
const keysMax: Readonly<Record<Part, number>> = { directory: 10_000, rulebook: 1, requests: 2_000 };

interface Memory {
  /** Goes along with a step that has changed what is kept under this key. */
  readonly follow: (key: string, step: Step) => void;
  /** Without a key, all of it. */
  readonly forget: (key: string | undefined) => void;
}

export function createSinceChange(): SinceChange {
  const memories: Readonly<Record<Part, Memory[]>> = { directory: [], rulebook: [], requests: [] };
  return {
    remembering<T>(
      part: Part,
      read: (key: string) => T | undefined,
      following: (key: string, before: T | undefined, step: Step) => T | undefined = () => undefined,
    ) {
      const known = new Map<string, T>();
      const keep = (key: string, value: T): void => {
        if (known.size >= keysMax[part]) known.clear();
        known.set(key, value);
      };
      memories[part].push({
        follow: (key, step) => {
          const now = following(key, known.get(key), step);
          if (now === undefined) known.delete(key);
          else keep(key, now);
        },
        forget: (key) => {
          if (key === undefined) known.clear();
          else known.delete(key);
        },
      });
      return (key) => {
        const remembered = known.get(key);
        if (remembered !== undefined) return remembered;
        const found = read(key);
        if (found !== undefined) keep(key, found);
        return found;
      };
    },
    changed: (steps) => {
      for (const step of steps) {
        for (const write of step.writes) {
          const change = changedBy(write);
          if (change === undefined) continue;
          for (const memory of memories[change.part]) {
            if (change.key === undefined) memory.forget(undefined);
            else memory.follow(change.key, step);
          }
        }
      }
    },
    doubted: (steps) => {
      for (const { writes, expects } of steps) {
        for (const change of [...writes.map(changedBy), ...expects.map(keptAs)]) {
          if (change === undefined) continue;
          for (const memory of memories[change.part]) memory.forget(change.key);
        }
      }
    },
  };
}

interface Change {
  readonly part: Part;
  readonly key?: string;
}

/** Undefined: nothing that is remembered. */
function changedBy(write: Write): Change | undefined {
  if (write.kind === "grant") return { part: "requests", key: write.value.requestId };
  const record = recordOf(write);
  return record && keptAs(record);
}

/**
 * Where a record is remembered: of requests the one, kept under its id with its grant; of the others everything, so that
 * nobody has to know who depends on whom.
 */
function keptAs({ kind, id }: Pick<Expectation, "kind" | "id">): Change | undefined {
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
