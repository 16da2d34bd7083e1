import { StoreUnavailable, type CommitResult, type Step } from "../service/ports.ts";
import { commitBatch, isWritten, type Outcome } from "./commit-batch.ts";
import { asFault, isBusy, isFull, OutcomeUnknown } from "./faults.ts";
import { assertSound } from "./step-soundness.ts";
import type { Transaction } from "./transaction.ts";

/** More steps in one transaction would save little and hold the event loop for long. */
const batchMax = 128;
/** Turns of the event loop that a step waits for company at most. */
const turnsMax = 5;

export interface CommitQueue {
  commit(step: Step): Promise<CommitResult>;
  /** Writes what is waiting and takes no more. */
  close(): void;
}

/** How often a batch that meets somebody else's lock is tried, other work getting its turn in between. */
const triesMax = 3;

interface Waiting {
  readonly step: Step;
  tries: number;
  readonly resolve: (result: CommitResult) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Steps that wait at the same moment share one transaction, and so one sync to disk. Nobody is answered before the
 * COMMIT.
 *
 * @param told `onEnded` hears, in the turn in which a transaction ended, which steps it made durable; `onFatal` of a
 *   commit whose outcome is unknown: from then on nothing is accepted, for only a restart can tell what is on disk.
 */
export function createCommitQueue(
  transaction: Transaction,
  apply: (step: Step) => CommitResult,
  told: { readonly onEnded: (written: readonly Step[]) => void; readonly onFatal: (error: Error) => void },
): CommitQueue {
  const waiting: Waiting[] = [];
  let isScheduled = false;
  let refusal: string | undefined;

  const flush = (batch: readonly Waiting[]): void => {
    if (refusal !== undefined) return rejectAll(batch, new StoreUnavailable(refusal));
    const steps = batch.map((one) => one.step);
    let outcomes: readonly Outcome[];
    try {
      outcomes = commitBatch(transaction, steps, apply);
    } catch (error) {
      told.onEnded([]);
      return failed(batch, error);
    }
    told.onEnded(steps.filter((_, index) => isWritten(outcomes[index])));
    for (const [index, outcome] of outcomes.entries()) settle(batch[index], outcome);
  };

  const failed = (batch: readonly Waiting[], error: unknown): void => {
    // A step too big for the disk must not take its neighbours along.
    if (isFull(error) && batch.length > 1) return batch.forEach((one) => flush([one]));
    if (isBusy(error)) {
      // Nothing of it is written, and whoever holds the lock may be done in a moment: the next flush takes it first.
      waiting.unshift(...batch.filter((one) => ++one.tries < triesMax));
      return rejectAll(batch.filter(hasTriedEnough), asFault(error));
    }
    rejectAll(batch, asFault(error));
    if (error instanceof OutcomeUnknown) {
      refusal = "the database could not be written; the process must restart";
      told.onFatal(error);
    }
  };

  /** Company in the last batch promises company for the next: then turns are waited for as long as others arrive. */
  let hasCompany = false;
  const flushNext = (): void => {
    isScheduled = false;
    const batch = waiting.splice(0, batchMax);
    hasCompany = batch.length > 1;
    flush(batch);
    schedule();
  };
  const flushWhenQuiet = (seen: number, turns: number): void => {
    const isGrowing = waiting.length > seen && waiting.length < batchMax;
    if (hasCompany && isGrowing && turns < turnsMax) {
      setImmediate(flushWhenQuiet, waiting.length, turns + 1);
    } else flushNext();
  };
  const schedule = (): void => {
    if (isScheduled || waiting.length === 0) return;
    isScheduled = true;
    setImmediate(flushWhenQuiet, 0, 1);
  };

  return {
    commit: async (step) => {
      assertSound(step);
      if (refusal !== undefined) throw new StoreUnavailable(refusal);
      return new Promise((resolve, reject) => {
        waiting.push({ step, tries: 0, resolve, reject });
        schedule();
      });
    },
    close: () => {
      while (waiting.length > 0) flush(waiting.splice(0, batchMax));
      refusal ??= "the store is closed";
    },
  };
}

function hasTriedEnough({ tries }: Waiting): boolean {
  return tries >= triesMax;
}

function settle(one: Waiting | undefined, outcome: Outcome): void {
  if ("result" in outcome) one?.resolve(outcome.result);
  else one?.reject(outcome.thrown);
}

function rejectAll(batch: readonly Waiting[], error: unknown): void {
  for (const { reject } of batch) reject(error);
}
