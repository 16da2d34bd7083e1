import { destinationOf } from "../../core/effects/ordering-keys.ts";
import type { Instant } from "../../core/values/ids.ts";
import { plus } from "../../core/values/time.ts";
import type { DueEffect, Store, Write } from "../../service/ports/store.ts";
import type { Runtime } from "../../service/ports/runtime.ts";
import { recordOnly } from "../../service/decisions/decide-and-commit.ts";
import { createAttempt, endsAccess, leaseMs, type OnFault } from "./attempt-effect.ts";
import { createCircuitBreakers, type CallResult } from "./circuit-breaker.ts";
import type { Runners } from "./runner.ts";

/** How many effects are read and leased at a time. */
export const relayBatchMax = 100;

/** Starts the effects that are due, within the limits of their destinations. */
export interface Dispatcher {
  /** Resolves once every due effect with a free slot has started. A call during a run makes that run check again. */
  dispatch(): Promise<void>;
  readonly inFlight: ReadonlySet<Promise<void>>;
  onSlotFree(listener: () => void): void;
  /** Starts nothing more, and resolves when the running effects have ended. */
  stop(): Promise<void>;
}

export function createDispatcher(
  store: Store,
  runtime: Pick<Runtime, "now">,
  runners: Runners,
  onFault: OnFault,
  random: () => number,
): Dispatcher {
  const { now } = runtime;
  const breakers = createCircuitBreakers(now);
  const release = ({ effect }: DueEffect, result: CallResult): Instant | undefined =>
    breakers.release(destinationOf(effect), result);
  const attempt = createAttempt(store, runtime, runners, onFault, { random, release });
  const inFlight = new Set<Promise<void>>();
  let notifySlotFree: (() => void) | undefined;
  let dispatching: Promise<void> | undefined;
  let mustCheckAgain = false;
  let isStopped = false;

  const start = (due: DueEffect): void => {
    const running: Promise<void> = attempt(due)
      .catch((fault: unknown) => onFault(fault, { effect: due.id, attempts: due.attempts }))
      .finally(() => {
        inFlight.delete(running);
        notifySlotFree?.();
      });
    inFlight.add(running);
  };

  /** @returns whether there may be more due effects with a free slot. */
  const dispatchBatch = async (): Promise<boolean> => {
    const due = isStopped ? [] : await store.dueEffects(now(), relayBatchMax, breakers.blocked());
    const acquired = due.filter(({ effect }) => breakers.tryAcquire(destinationOf(effect)));
    if (acquired.length === 0) return false;
    let leased: readonly DueEffect[] = [];
    try {
      leased = await leaseAll(store, acquired, plus(now(), leaseMs));
    } finally {
      for (const effect of acquired) if (!leased.includes(effect)) release(effect, "untried");
    }
    for (const effect of leased) start(effect);
    return due.length === relayBatchMax;
  };

  const dispatchAll = async (): Promise<void> => {
    do {
      mustCheckAgain = false;
      while (await dispatchBatch());
    } while (mustCheckAgain);
  };

  return {
    inFlight,
    dispatch() {
      mustCheckAgain = true;
      dispatching ??= dispatchAll().finally(() => {
        dispatching = undefined;
      });
      return dispatching;
    },
    onSlotFree: (listener) => {
      notifySlotFree = listener;
    },
    stop: async () => {
      isStopped = true;
      try {
        await dispatching;
      } finally {
        // Includes the effects that the last dispatch has leased.
        await Promise.all(inFlight);
      }
    },
  };
}

/** Leases all effects in one step; after a conflict, each by itself. @returns the effects that are ours. */
async function leaseAll(
  store: Store,
  due: readonly DueEffect[],
  until: Instant,
): Promise<readonly DueEffect[]> {
  const writes = due.map(({ id, lease, effect }): Write => ({
    kind: "effectLeased",
    id,
    lease,
    until,
    ...endsAccess(effect),
  }));
  if ("ok" in (await store.commit({ ...recordOnly([]), writes }))) return due;
  return due.length === 1
    ? []
    : (await Promise.all(due.map((effect) => leaseAll(store, [effect], until)))).flat();
}
