import type { Work } from "../../core/values/sliced-work.ts";

/**
 * Long pure work, cut into slices: between two of them whatever else has come in is answered. All work of the process
 * shares one slice per turn of the event loop, so that many callers at once cannot add theirs up.
 */
export interface Slices {
  run<T>(work: Work<T>): Promise<T>;
  /** For a loop that awaits between its parts: pauses when what was spent in this turn, with `cost`, is a slice. */
  spend(cost: number): Promise<void>;
}

/** In the unit of {@link Work}: about ten milliseconds. */
export const sliceCostMax = 10_000;

/** `nextTurn` resolves when the event loop has looked at everything else. */
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
