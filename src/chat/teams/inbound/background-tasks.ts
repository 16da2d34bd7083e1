import { secondMs } from "../../../core/values/time.ts";

/** Shorter than the time a stop may take. */
const timeoutMs = 5 * secondMs;

/** Work that continues after its call was answered. A stop of the service waits for it, up to a limit. */
export interface BackgroundTasks {
  start(work: () => Promise<void>): void;
  /** Waits until all started work has ended or the limit is reached. */
  settled(): Promise<void>;
}

export function createBackgroundTasks(onFault: (fault: unknown) => void): BackgroundTasks {
  const running = new Set<Promise<void>>();
  const allEnded = async (): Promise<void> => {
    while (running.size > 0) await Promise.all(running);
  };
  return {
    start(work) {
      const promise: Promise<void> = work()
        .catch(onFault)
        .finally(() => running.delete(promise));
      running.add(promise);
    },
    async settled() {
      const { promise, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, timeoutMs);
      await Promise.race([allEnded(), promise]);
      clearTimeout(timer);
    },
  };
}
