import type { Work } from "../../core/values/sliced-work.ts";

/**
 * Runs long pure work in slices, so that other calls are served in between. All work of the process shares one slice
 * per turn of the event loop, so that many concurrent callers cannot block it together.
 */
export interface Slices {
  run<T>(work: Work<T>): Promise<T>;
  /** For a loop that awaits between its parts: pauses once this turn has used up a slice, `cost` included. */
  spend(cost: number): Promise<void>;
}

/** Cost of one slice, in the unit of {@link Work}: about ten milliseconds. */
export const sliceCostMax = 10_000;

/** @param nextTurn Resolves when the event loop has handled everything else. */
export function createSlices(nextTurn: () => Promise<void> = nextTurnOfEventLoop): Slices {
  let spent = 0;
  let isResetDue = false;
  let lastInLine: Promise<void> = Promise.resolve();

  const reset = (): void => {
    spent = 0;
    isResetDue = false;
  };
  const takeTurn = (): Promise<void> => {
    lastInLine = lastInLine.then(nextTurn).then(reset);
    return lastInLine;
  };
  const add = (cost: number): boolean => {
    spent += cost;
    if (spent >= sliceCostMax) return true;
    if (!isResetDue) {
      isResetDue = true;
      void nextTurn().then(reset);
    }
    return false;
  };

  return {
    async run(work) {
      if (spent >= sliceCostMax) await takeTurn();
      for (;;) {
        const part = work.next();
        if (part.done === true) return part.value;
        if (add(part.value)) await takeTurn();
      }
    },
    async spend(cost) {
      if (add(cost)) await takeTurn();
    },
  };
}

async function nextTurnOfEventLoop(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
