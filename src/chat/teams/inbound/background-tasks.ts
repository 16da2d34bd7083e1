import { secondMs } from "../../../core/values/time.ts";

/** Well inside the time a stop may take. */
const timeoutMs = 5 * secondMs;

/** Work that goes on after its call was answered, and is waited for a little when the service stops. */
export interface Background {
  start(work: () => Promise<void>): void;
  /** All that has been started is over, or has taken too long. */
  settled(): Promise<void>;
}

export function createBackground(onFault: (fault: unknown) => void): Background {
  const running = new Set<Promise<void>>();
  const allOver = async (): Promise<void> => {
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
      await Promise.race([allOver(), promise]);
      clearTimeout(timer);
    },
  };
}
