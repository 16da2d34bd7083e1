import { secondMs } from "../core/time.ts";
import type { Store, Surroundings } from "../service/ports.ts";
import { createAttempt, type OnFault } from "./attempting.ts";
import type { Runners } from "./runners.ts";

/** How many effects are read, claimed and run side by side. */
export const relayBatchMax = 50;
/** What becomes due within this is taken together, in one commit, when somebody is nudged. */
export const gatherMs = 20;

/** Well inside the time a stop may take. */
const stopMs = 5 * secondMs;

export interface Relay {
  /** Runs everything that is due until nothing is. Calls while one is under way join it and look once more. */
  drain(): Promise<void>;
  /** As {@link Relay.drain}, soon and without waiting for it: something has just become due. */
  nudge(): void;
  /** Takes no more and waits a little for what is under way; what is not done by then is done after the next start. */
  stop(): Promise<void>;
}

/** Does what was decided, at least once: takes what is due, batch after batch, and attempts it. */
export function createRelay(
  store: Store,
  surroundings: Surroundings,
  runners: Runners,
  onFault: OnFault,
): Relay {
  const attempt = createAttempt(store, surroundings, runners, onFault);
  let running: Promise<void> | undefined;
  let nudged: NodeJS.Timeout | undefined;
  let isAskedAgain = false;
  let isStopped = false;

  const work = async (): Promise<void> => {
    do {
      isAskedAgain = false;
      for (;;) {
        const due = isStopped ? [] : await store.dueEffects(surroundings.now(), relayBatchMax);
        if (due.length === 0) break;
        await attempt(due);
      }
    } while (isAskedAgain);
  };

  const drain = async (): Promise<void> => {
    if (isStopped) return;
    isAskedAgain = true;
    running ??= work().finally(() => {
      running = undefined;
    });
    await running;
    if (isAskedAgain) await drain();
  };

  return {
    drain,
    nudge: () => {
      nudged ??= setTimeout(() => {
        nudged = undefined;
        drain().catch((fault: unknown) => onFault(fault, { attempts: 0 }));
      }, gatherMs);
    },
    async stop() {
      isStopped = true;
      clearTimeout(nudged);
      const { promise, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, stopMs);
      await Promise.race([running, promise]);
      clearTimeout(timer);
    },
  };
}
