import { secondMs } from "../../core/values/time.ts";
import type { Store } from "../../service/ports/store.ts";
import type { Runtime } from "../../service/ports/runtime.ts";
import { recordOnly } from "../../service/decisions/decide-and-commit.ts";
import type { OnFault } from "./attempt-effect.ts";
import type { Runners } from "./runner.ts";
import { createDispatcher } from "./dispatcher.ts";

/** What becomes due within this is taken together, in one commit, when somebody is nudged. */
export const debounceMs = 20;
/** What comes back within this leaves its room to the next together. */
const returnDebounceMs = 10;

/** Well inside the time a stop may take. */
const stopMs = 5 * secondMs;

export interface Relay {
  /**
   * Before the first turn: what a process that was killed was at is due now, not when its lease is over. Nobody else can
   * be at it, for a database is one process's.
   */
  begin(): Promise<void>;
  /** Runs everything that is due until nothing is and all of it has come back. */
  drain(): Promise<void>;
  /** As {@link Relay.drain}, soon and without waiting for it: something has just become due. */
  wake(): void;
  /** Takes no more and waits a little for what is under way; what is not done by then is done after the next start. */
  stop(): Promise<void>;
}

/**
 * Does what was decided, at least once. Everything that is due goes out side by side, as far as its way has room
 * (gate.ts); of one lane only the oldest, so that each recipient hears things in order.
 *
 * @param random 0 to 1; spreads what failed together.
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
  // Room has become free, and the next of a lane with it. Who drains looks by themselves.
  dispatcher.onRoomFree(() => {
    if (draining === 0) dispatchSoon(returnDebounceMs);
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
