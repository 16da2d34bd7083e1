import type { Step, Write } from "../service/ports.ts";
import { recordOf } from "./step-records.ts";

/** What is asked again and again between two changes of it. */
export type Part = "directory" | "rulebook" | "requests";

/**
 * What was read of a part since it was last written to, and is therefore still so. A step has forgotten what it writes to
 * before anybody can read again, so a change is seen by the first read after it.
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
  /** To be called before a step is written; also for what may yet be taken back, and again for what is tried again. */
  readonly changing: (step: Step) => void;
  /** To be called in the turn in which a transaction ended, with what it made durable in the order it was written. */
  readonly changed: (steps: readonly Step[]) => void;
}

/** Kept at once by each read, some 10 MB; with more the memory starts anew. */
const keysMax: Readonly<Record<Part, number>> = { directory: 10_000, rulebook: 1, requests: 2_000 };

interface Memory {
  readonly forget: (key: string | undefined) => void;
  readonly follow: (key: string, step: Step) => void;
  readonly settle: () => void;
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
      /** What was known of that which is being written. */
      const before = new Map<string, T>();
      const keep = (key: string, value: T): void => {
        if (known.size >= keysMax[part]) known.clear();
        known.set(key, value);
      };
      memories[part].push({
        forget: (key) => {
          if (key === undefined) return known.clear();
          const was = known.get(key);
          if (was === undefined) return;
          before.set(key, was);
          known.delete(key);
        },
        follow: (key, step) => {
          const now = following(key, known.get(key) ?? before.get(key), step);
          if (now === undefined) known.delete(key);
          else keep(key, now);
        },
        settle: () => before.clear(),
      });
      return (key) => {
        const remembered = known.get(key);
        if (remembered !== undefined) return remembered;
        const found = read(key);
        if (found !== undefined) keep(key, found);
        return found;
      };
    },
    changing: ({ writes }) => {
      for (const { part, key } of changesOf(writes)) {
        for (const memory of memories[part]) memory.forget(key);
      }
    },
    changed: (steps) => {
      for (const step of steps) {
        for (const { part, key } of changesOf(step.writes)) {
          if (key !== undefined) for (const memory of memories[part]) memory.follow(key, step);
        }
      }
      for (const memory of Object.values(memories).flat()) memory.settle();
    },
  };
}

interface Change {
  readonly part: Part;
  readonly key?: string;
}

function changesOf(writes: readonly Write[]): readonly Change[] {
  return writes.flatMap((write) => changedBy(write) ?? []);
}

/**
 * What is no longer so: of requests the one, kept under its id with its grant; of the others everything, so that nobody
 * has to know who depends on whom. Undefined: nothing that is remembered.
 */
function changedBy(write: Write): Change | undefined {
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
