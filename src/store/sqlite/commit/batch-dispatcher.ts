import { StoreUnavailable, type CommitResult, type Step } from "../../../service/ports/store.ts";
import { isWritten, type StepOutcome } from "./commit-batch.ts";
import { asFault, isBusy, isFull, CommitOutcomeUnknown } from "../tables/sqlite-faults.ts";

/**
 * A step this old that meets somebody else's lock is given up; a younger one is tried again, other work getting its turn
 * in between.
 */
const lockPatienceMs = 400;

/**
 * Once there have been batches for the thread, so many are written here before one of whatever size goes to it: it alone
 * has the log start over, and only after what it has written itself.
 */
const hereInARowMax = 64;

/** Write a batch in one transaction and tell what became of each step; they fail as {@link commitBatch} does. */
export interface Writers {
  /** At once, while the event loop stands still. */
  readonly here: (steps: readonly Step[]) => readonly StepOutcome[];
  readonly thread: {
    /** Asked before each batch that it could write. */
    readonly isThere: () => boolean;
    /** While the event loop goes on; one batch after the other, in the order they were given. */
    readonly write: (steps: readonly Step[]) => Promise<readonly StepOutcome[]>;
  };
}

export interface Hearers {
  /** A batch is about to be written. */
  readonly onBegin: () => void;
  /**
   * Steps that are on disk from now on, in the order they were written, and those of their batch that are not. Told before
   * anybody who waits for one of them.
   */
  readonly onEnded: (written: readonly Step[], refused: readonly Step[]) => void;
  /** Nobody can tell what is on disk: nothing is accepted any more, only a restart can find out. */
  readonly onFatal: (error: Error) => void;
}

/** A step and who waits for what becomes of it. */
export interface Waiting {
  readonly step: Step;
  /** By `performance.now()`. */
  readonly since: number;
  /** Its batch did not fit on the disk, perhaps for its sake. */
  isAlone: boolean;
  readonly resolve: (result: CommitResult) => void;
  readonly reject: (error: unknown) => void;
}

/** Batches on their way to the disk. */
export interface Batches {
  /** Writes one here, or has the thread write it: then those before it may still be under way. */
  readonly write: (batch: readonly Waiting[]) => void;
  /** How many the thread has in hand. */
  readonly underWay: () => number;
  /** When the one that was last given to the thread has ended. */
  readonly lastEnd: () => Promise<void>;
  /** Why nothing is written any more. */
  readonly refusal: () => string | undefined;
}

interface Ways {
  /** So many steps at once are for the thread. */
  readonly apartMin: number;
  /** To be written again, before all others. */
  readonly putBack: (batch: readonly Waiting[]) => void;
  /** The thread has ended one. Called before those who waited for it go on. */
  readonly onEnd: () => void;
}

/**
 * Few steps are written here, for the way to the thread and back would take longer; many there, while this thread decides
 * the next. Never both at once: a batch that follows one the thread has in hand goes the same way.
 */
export function createBatches(writers: Writers, hearers: Hearers, ways: Ways): Batches {
  const choose = createChoice(writers.thread, ways.apartMin);
  let underWay = 0;
  let lastEnd: Promise<void> = Promise.resolve();
  let refusal: string | undefined;

  const writeHere = (batch: readonly Waiting[]): void => {
    let outcomes: readonly StepOutcome[];
    try {
      outcomes = writers.here(batch.map(stepOf));
    } catch (error) {
      return failed(batch, error);
    }
    ended(batch, outcomes);
  };

  const writeApart = (batch: readonly Waiting[]): void => {
    underWay++;
    const back = (tell: () => void): void => {
      underWay--;
      tell();
      ways.onEnd();
    };
    lastEnd = writers.thread.write(batch.map(stepOf)).then(
      (outcomes) => back(() => ended(batch, outcomes)),
      (error: unknown) => back(() => failed(batch, error)),
    );
  };

  const ended = (batch: readonly Waiting[], outcomes: readonly StepOutcome[]): void => {
    const written: Step[] = [];
    const refused: Step[] = [];
    for (const [index, { step }] of batch.entries()) {
      (isWritten(outcomes[index]) ? written : refused).push(step);
    }
    hearers.onEnded(written, refused);
    for (const [index, outcome] of outcomes.entries()) settle(batch[index], outcome);
  };

  const failed = (batch: readonly Waiting[], error: unknown): void => {
    if (isFull(error) && batch.length > 1) {
      // A step too big for the disk must not take its neighbours along.
      for (const one of batch) one.isAlone = true;
      ways.putBack(batch);
    } else if (isBusy(error)) {
      // Nothing of it is written, and whoever holds the lock may be done in a moment.
      const givenUp = performance.now() - lockPatienceMs;
      ways.putBack(batch.filter(({ since }) => since > givenUp));
      rejectAll(
        batch.filter(({ since }) => since <= givenUp),
        asFault(error),
      );
    } else {
      rejectAll(batch, asFault(error));
      if (!(error instanceof CommitOutcomeUnknown) || refusal !== undefined) return;
      refusal = "the database could not be written; the process must restart";
      hearers.onFatal(error);
    }
  };

  return {
    write: (batch) => {
      if (refusal !== undefined) return rejectAll(batch, new StoreUnavailable(refusal));
      hearers.onBegin();
      if (choose(batch.length, underWay > 0) === "apart") writeApart(batch);
      else writeHere(batch);
    },
    underWay: () => underWay,
    lastEnd: async () => lastEnd,
    refusal: () => refusal,
  };
}

/** Which batches the thread writes, as far as it is there: by how many steps they have, and what went before them. */
function createChoice({ isThere }: Writers["thread"], apartMin: number) {
  let isWanted = false;
  let hereInARow = 0;
  return (steps: number, isBehindAnother: boolean): "here" | "apart" => {
    const isLarge = steps >= apartMin;
    isWanted ||= isLarge;
    const isForLog = isWanted && hereInARow >= hereInARowMax;
    const isApart = (isLarge || isBehindAnother || isForLog) && isThere();
    hereInARow = isApart ? 0 : hereInARow + 1;
    return isApart ? "apart" : "here";
  };
}

function stepOf({ step }: Waiting): Step {
  return step;
}

function settle(one: Waiting | undefined, outcome: StepOutcome): void {
  if ("result" in outcome) one?.resolve(outcome.result);
  else one?.reject(outcome.thrown);
}

function rejectAll(batch: readonly Waiting[], error: unknown): void {
  for (const { reject } of batch) reject(error);
}
