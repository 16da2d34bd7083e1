import type { CommitResult, Step } from "../../../service/ports/store.ts";
import { asFault, isRefusedCommit, CommitOutcomeUnknown } from "../tables/sqlite-faults.ts";
import type { Transaction } from "./transaction.ts";

/** How one step of a batch ended. */
export type StepOutcome = { readonly result: CommitResult } | { readonly thrown: unknown };

/**
 * Writes steps in one transaction, each whole by itself: one that conflicts or throws is taken back alone. When this
 * returns, the others are on disk.
 *
 * @param apply writes one step, synchronously; called again for a step that was taken back for a neighbour's sake.
 * @throws SQLite's error when nothing of the batch was written; {@link CommitOutcomeUnknown} when nobody can tell.
 */
export function commitBatch(
  transaction: Transaction,
  steps: readonly Step[],
  apply: (step: Step) => CommitResult,
): readonly StepOutcome[] {
  try {
    transaction.begin();
    const outcomes = allOrNone(transaction, steps, apply) ?? eachByItself(transaction, steps, apply);
    if (outcomes.some(isWritten)) commit(transaction);
    else rollBack(transaction);
    return outcomes;
  } catch (error) {
    if (!(error instanceof CommitOutcomeUnknown)) rollBack(transaction);
    throw error;
  }
}

/**
 * Nearly every batch can be written whole, and then SQLite need not copy each page that a step touches, as it does for a
 * mark. Undefined: a step could not be written, the transaction is as it was at its beginning.
 */
function allOrNone(
  transaction: Transaction,
  steps: readonly Step[],
  apply: (step: Step) => CommitResult,
): readonly StepOutcome[] | undefined {
  const outcomes: StepOutcome[] = [];
  for (const step of steps) {
    const outcome = outcomeOf(transaction, step, apply);
    if (!isWritten(outcome)) {
      transaction.rollback();
      transaction.begin();
      return undefined;
    }
    outcomes.push(outcome);
  }
  return outcomes;
}

function eachByItself(
  transaction: Transaction,
  steps: readonly Step[],
  apply: (step: Step) => CommitResult,
): readonly StepOutcome[] {
  return steps.map((step) => {
    transaction.savepoint();
    const outcome = outcomeOf(transaction, step, apply);
    if (!isWritten(outcome)) transaction.rollbackToSavepoint();
    transaction.releaseSavepoint();
    return outcome;
  });
}

export function isWritten(outcome: StepOutcome | undefined): boolean {
  return outcome !== undefined && "result" in outcome && "ok" in outcome.result;
}

/** Throws only when SQLite has given up the transaction itself. */
function outcomeOf(transaction: Transaction, step: Step, apply: (step: Step) => CommitResult): StepOutcome {
  try {
    return { result: apply(step) };
  } catch (error) {
    if (!transaction.isOpen()) throw error;
    return { thrown: asFault(error) };
  }
}

/** SQLite may have done it already. A transaction that cannot even be taken back leaves nothing to go on with. */
function rollBack(transaction: Transaction): void {
  try {
    if (transaction.isOpen()) transaction.rollback();
  } catch (error) {
    throw new CommitOutcomeUnknown("a failed transaction could not be rolled back", { cause: error });
  }
}

function commit(transaction: Transaction): void {
  try {
    transaction.commit();
  } catch (error) {
    if (isRefusedCommit(error)) throw error;
    throw new CommitOutcomeUnknown("a commit failed and nobody can tell whether it is on disk", {
      cause: error,
    });
  }
}
