/** Work that never runs twice at the same time: a call while it runs has it look once more, and ends with it. */
export function coalesceRuns(work: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  let isRunAgainWanted = false;
  const loop = async (): Promise<void> => {
    try {
      do {
        isRunAgainWanted = false;
        await work();
      } while (isRunAgainWanted);
    } finally {
      // In the same moment as the last look at what was asked: no call can fall in between and be lost.
      running = undefined;
    }
  };
  return () => {
    isRunAgainWanted = true;
    running ??= loop();
    return running;
  };
}
