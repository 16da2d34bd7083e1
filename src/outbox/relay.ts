import { groupOf } from "../core/lanes.ts";
import type { Instant } from "../core/ids.ts";
import { plus, secondMs } from "../core/time.ts";
import type { DueEffect, Store, Surroundings } from "../service/ports.ts";
import { recordOnly } from "../service/step.ts";
import { createAttempt, leaseMs, type OnFault } from "./attempting.ts";
import { createGate, type WayFound } from "./gate.ts";
import type { Runners } from "./runners.ts";

/** How many effects are read and claimed in one go. */
export const relayBatchMax = 50;
/** What becomes due within this is taken together, in one commit, when somebody is nudged. */
export const gatherMs = 20;

/** Well inside the time a stop may take. */
const stopMs = 5 * secondMs;

export interface Relay {
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
  const { now } = surroundings;
  const gate = createGate(now);
  const cameBack = ({ effect }: DueEffect, found: WayFound): Instant | undefined =>
    gate.leave(groupOf(effect), found);
  const attempt = createAttempt(store, surroundings, runners, onFault, { chance, cameBack });
  const underWay = new Set<Promise<void>>();
  let pumping: Promise<void> | undefined;
  let isAskedAgain = false;
  let draining = 0;
  let nudged: NodeJS.Timeout | undefined;
  let isStopped = false;

  const start = (due: DueEffect): void => {
    const going: Promise<void> = attempt(due)
      .catch((fault: unknown) => onFault(fault, { effect: due.id, attempts: due.attempts }))
      .finally(() => {
        underWay.delete(going);
        // Room has become free, and the next of a lane with it. Who drains looks by themselves.
        if (draining === 0) nudge();
      });
    underWay.add(going);
  };

  /** Sends out all there is room for. */
  const sendOut = async (): Promise<void> => {
    do {
      isAskedAgain = false;
      for (;;) {
        const due = isStopped ? [] : await store.dueEffects(now(), relayBatchMax, gate.closed());
        const admitted = due.filter(({ effect }) => gate.enter(groupOf(effect)));
        if (admitted.length === 0) break;
        let claimed: readonly DueEffect[] = [];
        try {
          claimed = await claim(store, admitted, plus(now(), leaseMs));
        } finally {
          for (const one of admitted) if (!claimed.includes(one)) cameBack(one, "untried");
        }
        for (const one of claimed) start(one);
      }
    } while (isAskedAgain);
  };

  const pump = (): Promise<void> => {
    isAskedAgain = true;
    pumping ??= sendOut().finally(() => {
      pumping = undefined;
    });
    return pumping;
  };

  const nudge = (): void => {
    if (isStopped) return;
    nudged ??= setTimeout(() => {
      nudged = undefined;
      pump().catch((fault: unknown) => onFault(fault, { attempts: 0 }));
    }, gatherMs);
  };

  return {
    nudge,
    async drain() {
      draining++;
      try {
        for (await pump(); underWay.size > 0; await pump()) await Promise.race(underWay);
      } finally {
        draining--;
      }
    },
    async stop() {
      isStopped = true;
      clearTimeout(nudged);
      const { promise, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, stopMs);
      await Promise.race([Promise.all([pumping, ...underWay]), promise]);
      clearTimeout(timer);
    },
  };
}

/** Claims all in one step; should somebody else have taken one meanwhile, each by itself. What is ours comes back. */
async function claim(store: Store, due: readonly DueEffect[], until: Instant): Promise<readonly DueEffect[]> {
  const writes = due.map(({ id, lease }) => ({ kind: "effectLeased", id, lease, until }) as const);
  if ("ok" in (await store.commit({ ...recordOnly([]), writes }))) return due;
  return due.length === 1 ? [] : (await Promise.all(due.map((one) => claim(store, [one], until)))).flat();
}
