import { extname } from "node:path";
import { Worker } from "node:worker_threads";
import { assertPresent } from "../../../core/values/assert.ts";
import type { Step } from "../../../service/ports/store.ts";
import type { StepOutcome } from "./commit-batch.ts";
import { CommitOutcomeUnknown } from "../tables/sqlite-faults.ts";
import { hearFault, hearOutcome, type Word } from "./worker-protocol.ts";

/** A thread that writes steps into the database file through a connection of its own. */
export interface WriterThread {
  /** Begins the thread; resolves when it can write, or when it has turned out that it never will. */
  readonly begin: () => Promise<void>;
  /** Whether it can write now. Asking begins it. */
  readonly isThere: () => boolean;
  /**
   * Writes the steps in one transaction, after those given before. Rejects as {@link commitBatch} throws, and with
   * {@link CommitOutcomeUnknown} when the thread ends meanwhile.
   */
  readonly write: (steps: readonly Step[]) => Promise<readonly StepOutcome[]>;
  /** Ends it when it has written what it was given. */
  readonly close: () => Promise<void>;
}

/** What became of the thread: it can write, or there is none (any more) for this reason. */
export type ThreadNews = "there" | Error;

/** What is made of a batch is gone when it is written: room for more of it would only cost memory. */
const resourceLimits = { maxYoungGenerationSizeMb: 12 };

/** As source or as built, whichever this file is. */
const shippedCode = new URL(`./writer-worker${extname(import.meta.url)}`, import.meta.url);

/**
 * Not begun before it is asked for: it takes a tenth of a second and some thirty megabytes.
 *
 * @param file the path of a database that this process has open.
 * @param code what runs in the thread; for tests of its end.
 */
export function createWriterThread(
  file: string,
  onNews: (news: ThreadNews) => void,
  code = shippedCode,
): WriterThread {
  let state: "none" | "begun" | "there" | "gone" = "none";
  let worker: Worker | undefined;
  const begun = Promise.withResolvers<void>();
  const batches = createGiven();

  const arrive = (): void => {
    if (state !== "begun") return;
    state = "there";
    begun.resolve();
    onNews(state);
  };
  const lose = (error: Error): void => {
    if (state === "gone") return;
    state = "gone";
    begun.resolve();
    batches.lose(error);
    onNews(error);
  };
  const begin = async (): Promise<void> => {
    if (state === "none") {
      state = "begun";
      try {
        worker = new Worker(code, { name: "writer", workerData: { file }, resourceLimits });
        // Who waits for a batch keeps the process alive, an idle thread does not.
        worker.unref();
        worker.on("error", lose).on("exit", (exitCode) => lose(new Error(`it ended with ${exitCode}`)));
        worker.on("message", (text: string) => {
          const word: Word = JSON.parse(text);
          if (word.is === "ready") return arrive();
          if (batches.hear(word) === 0) worker?.unref();
        });
      } catch (error) {
        lose(error instanceof Error ? error : new Error(String(error)));
      }
    }
    return begun.promise;
  };

  return {
    begin,
    isThere: () => {
      if (state === "none") void begin();
      return state === "there";
    },
    write: async (steps) => {
      const there = assertPresent(worker, "the thread that writes");
      there.ref();
      there.postMessage(JSON.stringify(steps));
      return batches.give();
    },
    close: async () => {
      if (worker === undefined || state === "gone") return;
      state = "gone";
      begun.resolve();
      const ended = new Promise((resolve) => worker?.once("exit", resolve));
      worker.ref();
      worker.postMessage("");
      await ended;
    },
  };
}

/** Batches in the thread's hands, which answers them in the order they were given. */
function createGiven() {
  const given: PromiseWithResolvers<readonly StepOutcome[]>[] = [];
  return {
    give: async (): Promise<readonly StepOutcome[]> => {
      const batch = Promise.withResolvers<readonly StepOutcome[]>();
      given.push(batch);
      return batch.promise;
    },
    /** Answers the first; how many are left. */
    hear: (word: Exclude<Word, { readonly is: "ready" }>): number => {
      const { resolve, reject } = assertPresent(given.shift(), "a batch that the thread was given");
      if (word.is === "outcomes") resolve(word.outcomes.map(hearOutcome));
      else reject(hearFault(word.fault));
      return given.length;
    },
    lose: (cause: Error): void => {
      for (const { reject } of given.splice(0)) {
        reject(
          new CommitOutcomeUnknown("the writing thread ended before it said what it had written", { cause }),
        );
      }
    },
  };
}
