import type { CommitResult, Step } from "../../../service/ports/store.ts";
import { asFault, isRefusedCommit, CommitOutcomeUnknown } from "../tables/sqlite-faults.ts";
import type { Transaction } from "./transaction.ts";

/** How one step of a batch ended: written, refused with a conflict, or failed. */
export type StepOutcome = { readonly result: CommitResult } | { readonly thrown: unknown };

/** Writes one step inside the open transaction. A step that is not `ok` may be half written. */
type ApplyStep = (step: Step) => CommitResult;

/**
 * Writes steps in one transaction. A step that conflicts or throws is rolled back alone. When this returns, the others
 * are on disk.
 *
 * @param apply is called a second time for a step if another step of its batch could not be written.
 * @throws SQLite's error when nothing of the batch was written; {@link CommitOutcomeUnknown} when nobody can tell.
 */
export function commitBatch(
  transaction: Transaction,
  steps: readonly Step[],
  apply: ApplyStep,
): readonly StepOutcome[] {
  try {
    transaction.begin();
    const outcomes = applyAll(transaction, steps, apply) ?? applyWithSavepoints(transaction, steps, apply);
    if (outcomes.some(isWritten)) commit(transaction);
    else rollBack(transaction);
    return outcomes;
  } catch (error) {
    if (!(error instanceof CommitOutcomeUnknown)) rollBack(transaction);
    throw error;
  }
}

export function isWritten(outcome: StepOutcome | undefined): boolean {
  return outcome !== undefined && "result" in outcome && "ok" in outcome.result;
}

/**
 * Nearly every batch can be written whole, and then no savepoint is needed: with one, SQLite copies each page that a step
 * touches. Undefined: a step could not be written, and the transaction is back at its beginning.
 */
function applyAll(
  transaction: Transaction,
  steps: readonly Step[],
  apply: ApplyStep,
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

function applyWithSavepoints(
  transaction: Transaction,
  steps: readonly Step[],
  apply: ApplyStep,
): readonly StepOutcome[] {
  return steps.map((step) => {
    transaction.savepoint();
    const outcome = outcomeOf(transaction, step, apply);
    if (!isWritten(outcome)) transaction.rollbackToSavepoint();
    transaction.releaseSavepoint();
    return outcome;
  });
}

/** Throws only when SQLite itself has ended the transaction, so that no other step can be written in it either. */
function outcomeOf(transaction: Transaction, step: Step, apply: ApplyStep): StepOutcome {
  try {
    return { result: apply(step) };
  } catch (error) {
    if (!transaction.isOpen()) throw error;
    return { thrown: asFault(error) };
  }
}

/** SQLite may have rolled back already. If a transaction cannot be rolled back, the connection is of no use any more. */
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
