/** Work that never runs twice at the same time: a call while it runs has it look once more, and ends with it. */
export function oneAtATime(work: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  let isAskedAgain = false;
  const loop = async (): Promise<void> => {
    try {
      do {
        isAskedAgain = false;
        await work();
      } while (isAskedAgain);
    } finally {
      // In the same moment as the last look at what was asked: no call can fall in between and be lost.
      running = undefined;
    }
  };
  return () => {
    isAskedAgain = true;
    running ??= loop();
    return running;
  };
}
