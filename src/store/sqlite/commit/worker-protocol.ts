import Database from "better-sqlite3";
import { Bug } from "../../../core/values/assert.ts";
import { DiskFull, StoreUnavailable, type CommitResult, type Step } from "../../../service/ports/store.ts";
import type { StepOutcome } from "./commit-batch.ts";
import { CommitOutcomeUnknown } from "../tables/sqlite-faults.ts";

/** What the thread that decides and the one that writes say to each other, as JSON: it costs less than copied objects. */

/** That it can write, and what became of a batch: of each of its steps, or that it failed as a whole. */
export type Word =
  | { readonly is: "ready" }
  | { readonly is: "outcomes"; readonly outcomes: readonly SaidOutcome[] }
  | { readonly is: "failed"; readonly fault: SaidFault };

export type SaidOutcome = { readonly result: CommitResult } | { readonly fault: SaidFault };

/** An error; `code` is SQLite's. */
export interface SaidFault {
  readonly name: string;
  readonly message: string;
  readonly code?: string;
  readonly stack?: string;
  readonly cause?: SaidFault;
}

/** What the writing thread answers to each batch. Once an outcome is unknown it writes nothing more. */
export function answering(
  write: (steps: readonly Step[]) => readonly StepOutcome[],
): (batch: string) => Word {
  let lost: CommitOutcomeUnknown | undefined;
  return (batch) => {
    try {
      if (lost !== undefined) throw lost;
      return { is: "outcomes", outcomes: write(JSON.parse(batch)).map(sayOutcome) };
    } catch (error) {
      if (error instanceof CommitOutcomeUnknown) lost = error;
      return { is: "failed", fault: sayFault(error) };
    }
  };
}

function sayOutcome(outcome: StepOutcome): SaidOutcome {
  return "thrown" in outcome ? { fault: sayFault(outcome.thrown) } : outcome;
}

export function hearOutcome(said: SaidOutcome): StepOutcome {
  return "fault" in said ? { thrown: hearFault(said.fault) } : said;
}

function sayFault(error: unknown): SaidFault {
  if (!(error instanceof Error)) return { name: "Error", message: String(error) };
  const { name, message, stack, cause } = error;
  return {
    name,
    message,
    ...(error instanceof Database.SqliteError && { code: error.code }),
    ...(stack !== undefined && { stack }),
    ...(cause !== undefined && { cause: sayFault(cause) }),
  };
}

/** The same error again, of the same class where anybody asks for it. */
export function hearFault(said: SaidFault): Error {
  const error = errorOf(said);
  if (said.stack !== undefined) error.stack = said.stack;
  if (said.cause !== undefined) error.cause = hearFault(said.cause);
  return error;
}

/** By the name that an error says of itself: a class may be called otherwise in what is built. */
const known = new Map(Object.entries({ StoreUnavailable, DiskFull, CommitOutcomeUnknown, Bug }));

function errorOf({ name, message, code }: SaidFault): Error {
  if (code !== undefined) return new Database.SqliteError(message, code);
  const Known = known.get(name);
  if (Known !== undefined) return new Known(message);
  return Object.defineProperty(new Error(message), "name", { value: name });
}
