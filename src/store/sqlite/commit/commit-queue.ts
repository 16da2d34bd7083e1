import { StoreUnavailable, type CommitResult, type Step } from "../../../service/ports/store.ts";
import { assertStepValid } from "../../shared/assert-step.ts";
import { asFault, isBusy, isFull, CommitOutcomeUnknown } from "../tables/sqlite-faults.ts";
import { isWritten, type StepOutcome } from "./commit-batch.ts";

/** The event loop stands still while a batch is written, and a larger batch would save little. */
const batchMax = 128;

/** How long a step is retried while another process locks the file. */
const lockPatienceMs = 400;

/** Pause between two attempts on a locked file, so that other work runs meanwhile. */
const lockRetryMs = 20;

export interface CommitOptions {
  /** Writes steps in one transaction; see {@link commitBatch} for what it returns and throws. */
  readonly writeBatch: (steps: readonly Step[]) => readonly StepOutcome[];
  /** Called after each transaction, before any caller is answered. Steps are in the order they were written. */
  readonly onCommitted: (committed: readonly Step[], refused: readonly Step[]) => void;
  /** Called once, when a commit may or may not be on disk. Only a restart can find out. */
  readonly onFatal: (error: CommitOutcomeUnknown) => void;
}

export interface CommitQueue {
  /** Resolves once the step is on disk, or with the conflict that refused it. */
  readonly commit: (step: Step) => Promise<CommitResult>;
  /** Accepts no further steps and writes those that wait. */
  readonly close: () => void;
}

interface QueuedStep {
  readonly step: Step;
  /** Time of `performance.now()`. */
  readonly queuedAt: number;
  readonly resolve: (result: CommitResult) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Group commit: the steps of one tick share one transaction, and so one sync to disk. No caller is answered before the
 * COMMIT.
 */
export function createCommitQueue({ writeBatch, onCommitted, onFatal }: CommitOptions): CommitQueue {
  const queue: QueuedStep[] = [];
  /** Steps at the front that are written one by one, because together they did not fit on the disk. */
  let aloneCount = 0;
  let isScheduled = false;
  let wasLocked = false;
  /** Why no step is accepted any more. */
  let refusal: string | undefined;

  const schedule = (): void => {
    if (isScheduled || queue.length === 0) return;
    isScheduled = true;
    runLater(wasLocked, () => {
      isScheduled = false;
      writeNext();
      schedule();
    });
  };

  const writeNext = (): void => {
    const batch = queue.splice(0, aloneCount > 0 ? 1 : batchMax);
    aloneCount = Math.max(0, aloneCount - 1);
    if (batch.length === 0) return;
    const steps = batch.map(({ step }) => step);
    let outcomes: readonly StepOutcome[];
    wasLocked = false;
    try {
      outcomes = writeBatch(steps);
    } catch (error) {
      return handleFailure(batch, error);
    }
    onCommitted(
      steps.filter((_, index) => isWritten(outcomes[index])),
      steps.filter((_, index) => !isWritten(outcomes[index])),
    );
    for (const [index, outcome] of outcomes.entries()) settle(batch[index], outcome);
  };

  /** Nothing of the batch was written, unless the error says that nobody knows. */
  const handleFailure = (batch: readonly QueuedStep[], error: unknown): void => {
    if (isFull(error) && batch.length > 1) {
      // One step that is too big for the disk must not fail the others.
      queue.unshift(...batch);
      aloneCount = batch.length;
    } else if (isBusy(error)) {
      wasLocked = true;
      const giveUpBefore = performance.now() - lockPatienceMs;
      rejectAll(
        batch.filter(({ queuedAt }) => queuedAt <= giveUpBefore),
        asFault(error),
      );
      queue.unshift(...batch.filter(({ queuedAt }) => queuedAt > giveUpBefore));
    } else if (error instanceof CommitOutcomeUnknown) {
      refusal = "the database could not be written; the process must restart";
      rejectAll(batch, error);
      rejectAll(queue.splice(0), new StoreUnavailable(refusal));
      onFatal(error);
    } else {
      rejectAll(batch, asFault(error));
    }
  };

  return {
    commit: async (step) => {
      assertStepValid(step);
      if (refusal !== undefined) throw new StoreUnavailable(refusal);
      return new Promise((resolve, reject) => {
        queue.push({ step, queuedAt: performance.now(), resolve, reject });
        schedule();
      });
    },
    close: () => {
      refusal ??= "the store is closed";
      while (queue.length > 0) writeNext();
    },
  };
}

function runLater(isLocked: boolean, work: () => void): void {
  if (isLocked) setTimeout(work, lockRetryMs);
  else setImmediate(work);
}

function settle(queued: QueuedStep | undefined, outcome: StepOutcome): void {
  if ("result" in outcome) queued?.resolve(outcome.result);
  else queued?.reject(outcome.thrown);
}

function rejectAll(batch: readonly QueuedStep[], error: unknown): void {
  for (const { reject } of batch) reject(error);
}
