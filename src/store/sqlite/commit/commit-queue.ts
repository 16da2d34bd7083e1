import { StoreUnavailable, type CommitResult, type Step } from "../../../service/ports/store.ts";
import { createBatches, type Hearers, type Waiting, type Writers } from "./batch-dispatcher.ts";
import { assertStepValid } from "../../shared/assert-step.ts";

/** More steps in one transaction would save little and hold whoever writes them for long. */
const batchMax = 128;
/** Turns of the event loop that a step waits for company at most. */
const turnsMax = 5;
/**
 * So many steps at once are worth the way to the other thread and back. They go at once, and those decided meanwhile make
 * the next batch: with twice as many at work, one half decides while the other is written.
 */
const usualApartMin = 8;
/** Batches in the other thread's hands: one that is being written, and one for when it is done. */
const underWayMax = 2;

export interface CommitQueue {
  commit(step: Step): Promise<CommitResult>;
  /** Takes no more, and writes what is waiting. */
  close(): Promise<void>;
}

/**
 * Steps that wait at the same moment share one transaction, and so one sync to disk. Nobody is answered before the
 * COMMIT.
 *
 * @param apartMin so many steps at once are written by the other thread when it is there; Infinity: it is never begun.
 */
export function createCommitQueue(writers: Writers, hearers: Hearers, apartMin = usualApartMin): CommitQueue {
  const waiting: Waiting[] = [];
  const batches = createBatches(writers, hearers, {
    apartMin,
    putBack: (batch) => void waiting.unshift(...batch),
    onEnd: () => {
      if (waiting.length >= apartMin) writeNext();
      else schedule();
    },
  });

  const nextBatch = (): readonly Waiting[] => {
    const alone = waiting.slice(0, batchMax).findIndex((one) => one.isAlone);
    return waiting.splice(0, alone < 0 ? batchMax : Math.max(alone, 1));
  };

  /** Company in the last batch promises company for the next: then turns are waited for as long as others arrive. */
  let hasCompany = false;
  const writeNext = (): void => {
    const batch = nextBatch();
    hasCompany = batch.length > 1;
    batches.write(batch);
    schedule();
  };

  let isScheduled = false;
  const writeWhenQuiet = (seen: number, turns: number): void => {
    const isGrowing = waiting.length > seen && waiting.length < batchMax;
    if (hasCompany && isGrowing && turns < turnsMax) {
      setImmediate(writeWhenQuiet, waiting.length, turns + 1);
    } else {
      isScheduled = false;
      if (batches.underWay() === 0 && waiting.length > 0) writeNext();
    }
  };
  const schedule = (): void => {
    if (isScheduled || batches.underWay() > 0 || waiting.length === 0) return;
    isScheduled = true;
    setImmediate(writeWhenQuiet, 0, 1);
  };

  let isClosed = false;
  return {
    commit: async (step) => {
      assertStepValid(step);
      const refusal = isClosed ? "the store is closed" : batches.refusal();
      if (refusal !== undefined) throw new StoreUnavailable(refusal);
      return new Promise((resolve, reject) => {
        waiting.push({ step, since: performance.now(), isAlone: false, resolve, reject });
        const isEarly = waiting.length >= apartMin && batches.underWay() < underWayMax;
        if (isEarly && writers.thread.isThere()) writeNext();
        else schedule();
      });
    },
    close: async () => {
      isClosed = true;
      while (batches.underWay() > 0 || waiting.length > 0) {
        if (batches.underWay() > 0) await batches.lastEnd();
        else batches.write(nextBatch());
      }
    },
  };
}
