import type { CommitResult, Step } from "../service/ports.ts";
import { asFault, isRefusedCommit, OutcomeUnknown } from "./faults.ts";
import type { Transaction } from "./transaction.ts";

/** How one step of a batch ended. */
export type Outcome = { readonly result: CommitResult } | { readonly thrown: unknown };

/**
 * Writes steps in one transaction, each whole by itself: one that conflicts or throws is taken back alone. When this
 * returns, the others are on disk.
 *
 * @param apply writes one step, synchronously.
 * @throws SQLite's error when nothing of the batch was written; {@link OutcomeUnknown} when nobody can tell.
 */
export function commitBatch(
  transaction: Transaction,
  steps: readonly Step[],
  apply: (step: Step) => CommitResult,
): readonly Outcome[] {
  try {
    transaction.begin();
    const outcomes = steps.map((step) => attempt(transaction, step, apply, steps.length === 1));
    if (transaction.isOpen()) commit(transaction);
    return outcomes;
  } catch (error) {
    if (!(error instanceof OutcomeUnknown)) rollBack(transaction);
    throw error;
  }
}

/** One step inside the open transaction. Throws only when SQLite has given up the transaction itself. */
function attempt(
  transaction: Transaction,
  step: Step,
  apply: (step: Step) => CommitResult,
  isAlone: boolean,
): Outcome {
  if (!isAlone) transaction.mark();
  const outcome = outcomeOf(transaction, step, apply);
  const isWritten = "result" in outcome && "ok" in outcome.result;
  if (isAlone) {
    if (!isWritten) transaction.rollback();
    return outcome;
  }
  if (!isWritten) transaction.undoToMark();
  transaction.unmark();
  return outcome;
}

function outcomeOf(transaction: Transaction, step: Step, apply: (step: Step) => CommitResult): Outcome {
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
    throw new OutcomeUnknown("a failed transaction could not be rolled back", { cause: error });
  }
}

function commit(transaction: Transaction): void {
  try {
    transaction.commit();
  } catch (error) {
    if (isRefusedCommit(error)) throw error;
    throw new OutcomeUnknown("a commit failed and nobody can tell whether it is on disk", { cause: error });
  }
}
