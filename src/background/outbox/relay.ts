import { secondMs } from "../../core/values/time.ts";
import type { Store } from "../../service/ports/store.ts";
import type { Surroundings } from "../../service/ports/runtime.ts";
import { recordOnly } from "../../service/decisions/decide-and-commit.ts";
import type { OnFault } from "./attempt-effect.ts";
import type { Runners } from "./runner.ts";
import { createSender } from "./dispatcher.ts";

/** What becomes due within this is taken together, in one commit, when somebody is nudged. */
export const gatherMs = 20;
/** What comes back within this leaves its room to the next together. */
const returnGatherMs = 10;

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
  nudge(): void;
  /** Takes no more and waits a little for what is under way; what is not done by then is done after the next start. */
  stop(): Promise<void>;
}

/**
 * Does what was decided, at least once. Everything that is due goes out side by side, as far as its way has room
 * (gate.ts); of one lane only the oldest, so that each recipient hears things in order.
 *
 * @param chance 0 to 1; spreads what failed together.
 */
export function createRelay(
  store: Store,
  surroundings: Pick<Surroundings, "now">,
  runners: Runners,
  onFault: OnFault,
  chance: () => number = Math.random,
): Relay {
  const sender = createSender(store, surroundings, runners, onFault, chance);
  let draining = 0;
  let nudged: NodeJS.Timeout | undefined;
  let isStopped = false;

  const sendSoon = (ms: number): void => {
    if (isStopped) return;
    nudged ??= setTimeout(() => {
      nudged = undefined;
      sender.sendOut().catch((fault: unknown) => onFault(fault, { attempts: 0 }));
    }, ms);
  };
  // Room has become free, and the next of a lane with it. Who drains looks by themselves.
  sender.onReturn(() => {
    if (draining === 0) sendSoon(returnGatherMs);
  });

  return {
    async begin() {
      await store.commit({ ...recordOnly([]), writes: [{ kind: "leasesEnded", at: surroundings.now() }] });
    },
    nudge: () => sendSoon(gatherMs),
    async drain() {
      if (isStopped) return;
      draining++;
      try {
        for (await sender.sendOut(); sender.underWay.size > 0; await sender.sendOut()) {
          await Promise.race(sender.underWay);
        }
      } finally {
        draining--;
      }
    },
    async stop() {
      isStopped = true;
      clearTimeout(nudged);
      const { promise, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, stopMs);
      await Promise.race([sender.stop(), promise]);
      clearTimeout(timer);
    },
  };
}
