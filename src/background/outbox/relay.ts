import { secondMs } from "../../core/values/time.ts";
import type { Store } from "../../service/ports/store.ts";
import type { Runtime } from "../../service/ports/runtime.ts";
import { recordOnly } from "../../service/decisions/decide-and-commit.ts";
import type { OnFault } from "./attempt-effect.ts";
import type { Runners } from "./runner.ts";
import { createDispatcher } from "./dispatcher.ts";

/** Effects that become due within this time are leased together, in one commit. */
export const debounceMs = 20;
/** Slots that become free within this time are filled together. */
const slotDebounceMs = 10;

/** Well within the time that a shutdown may take. */
const stopMs = 5 * secondMs;

export interface Relay {
  /**
   * Ends the leases of an earlier process, so that its effects are due now. No other process can hold a lease, because
   * a database belongs to one process.
   */
  begin(): Promise<void>;
  /** Runs effects until none is due and all have ended. */
  drain(): Promise<void>;
  /** Runs due effects soon, without waiting for them: call it when an effect has just become due. */
  wake(): void;
  /** Starts nothing more and waits a little for running effects. The next start repeats those that did not end. */
  stop(): Promise<void>;
}

/**
 * Runs effects at least once. Whatever is due runs in parallel, limited per destination (`circuit-breaker.ts`); of each
 * ordering key only the oldest, so that recipients get messages in order.
 *
 * @param random 0 to 1: jitter for retries.
 */
export function createRelay(
  store: Store,
  runtime: Pick<Runtime, "now">,
  runners: Runners,
  onFault: OnFault,
  random: () => number = Math.random,
): Relay {
  const dispatcher = createDispatcher(store, runtime, runners, onFault, random);
  let draining = 0;
  let wakeTimer: NodeJS.Timeout | undefined;
  let isStopped = false;

  const dispatchSoon = (ms: number): void => {
    if (isStopped) return;
    wakeTimer ??= setTimeout(() => {
      wakeTimer = undefined;
      dispatcher.dispatch().catch((fault: unknown) => onFault(fault, { attempts: 0 }));
    }, ms);
  };
  // A free slot also unblocks the next effect of its ordering key. drain() checks by itself.
  dispatcher.onSlotFree(() => {
    if (draining === 0) dispatchSoon(slotDebounceMs);
  });

  return {
    async begin() {
      await store.commit({ ...recordOnly([]), writes: [{ kind: "leasesEnded", at: runtime.now() }] });
    },
    wake: () => dispatchSoon(debounceMs),
    async drain() {
      if (isStopped) return;
      draining++;
      try {
        for (await dispatcher.dispatch(); dispatcher.inFlight.size > 0; await dispatcher.dispatch()) {
          await Promise.race(dispatcher.inFlight);
        }
      } finally {
        draining--;
      }
    },
    async stop() {
      isStopped = true;
      clearTimeout(wakeTimer);
      const { promise, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, stopMs);
      await Promise.race([dispatcher.stop(), promise]);
      clearTimeout(timer);
    },
  };
}
