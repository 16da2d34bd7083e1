import type Database from "better-sqlite3";
import type { Step } from "../../../service/ports/store.ts";
import { createStepWriter } from "../writes/apply-step.ts";
import { commitBatch, type StepOutcome } from "./commit-batch.ts";
import { transactionOn } from "./transaction.ts";

/** Writes steps through a connection, each call in one transaction; see {@link commitBatch}. */
export function createBatchWriter(
  client: Database.Database,
): (steps: readonly Step[]) => readonly StepOutcome[] {
  const transaction = transactionOn(client);
  const apply = createStepWriter(client);
  return (steps) => commitBatch(transaction, steps, apply);
}
