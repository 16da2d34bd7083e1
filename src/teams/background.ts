/** Work that goes on after its call was answered, and is waited for when the service stops. */
export interface Background {
  start(work: () => Promise<void>): void;
  /** All that has been started is over. */
  settled(): Promise<void>;
}

export function createBackground(onFault: (fault: unknown) => void): Background {
  const running = new Set<Promise<void>>();
  return {
    start(work) {
      const promise: Promise<void> = work()
        .catch(onFault)
        .finally(() => running.delete(promise));
      running.add(promise);
    },
    async settled() {
      while (running.size > 0) await Promise.all(running);
    },
  };
}
