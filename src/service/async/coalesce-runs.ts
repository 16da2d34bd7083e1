/** Runs work one at a time. A call during a run makes it run once more, and resolves when that is done. */
export function coalesceRuns(work: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  let mustRunAgain = false;
  const loop = async (): Promise<void> => {
    try {
      do {
        mustRunAgain = false;
        await work();
      } while (mustRunAgain);
    } finally {
      // No await since the last check of `mustRunAgain`, so that no call in between is lost.
      running = undefined;
    }
  };
  return () => {
    mustRunAgain = true;
    running ??= loop();
    return running;
  };
}
