import { destinationOf } from "../../core/effects/ordering-keys.ts";
import type { Instant } from "../../core/values/ids.ts";
import { plus } from "../../core/values/time.ts";
import type { DueEffect, Store, Write } from "../../service/ports/store.ts";
import type { Runtime } from "../../service/ports/runtime.ts";
import { recordOnly } from "../../service/decisions/decide-and-commit.ts";
import { createAttempt, endsOf, leaseMs, type OnFault } from "./attempt-effect.ts";
import { createCircuitBreakers, type CallResult } from "./circuit-breaker.ts";
import type { Runners } from "./runner.ts";

/** How many effects are read and claimed in one go. */
export const relayBatchMax = 100;

/** Sends out what is due, as far as there is room. */
export interface Dispatcher {
  /** Answers when everything there was room for is under way. Calls while one is at it join it and look once more. */
  dispatch(): Promise<void>;
  readonly inFlight: ReadonlySet<Promise<void>>;
  onRoomFree(listener: () => void): void;
  /** Begins nothing more, and answers when what is under way has come back. */
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
  let notifyRoomFree: (() => void) | undefined;
  let dispatching: Promise<void> | undefined;
  let isAskedAgain = false;
  let isStopped = false;

  const start = (due: DueEffect): void => {
    const running: Promise<void> = attempt(due)
      .catch((fault: unknown) => onFault(fault, { effect: due.id, attempts: due.attempts }))
      .finally(() => {
        inFlight.delete(running);
        notifyRoomFree?.();
      });
    inFlight.add(running);
  };

  /** One batch; false: there is nothing due, or no room for it. */
  const dispatchBatch = async (): Promise<boolean> => {
    const due = isStopped ? [] : await store.dueEffects(now(), relayBatchMax, breakers.blocked());
    const acquired = due.filter(({ effect }) => breakers.tryAcquire(destinationOf(effect)));
    if (acquired.length === 0) return false;
    let claimed: readonly DueEffect[] = [];
    try {
      claimed = await claim(store, acquired, plus(now(), leaseMs));
    } finally {
      for (const one of acquired) if (!claimed.includes(one)) release(one, "untried");
    }
    for (const one of claimed) start(one);
    return due.length === relayBatchMax;
  };

  const dispatchAll = async (): Promise<void> => {
    do {
      isAskedAgain = false;
      while (await dispatchBatch());
    } while (isAskedAgain);
  };

  return {
    inFlight,
    dispatch() {
      isAskedAgain = true;
      dispatching ??= dispatchAll().finally(() => {
        dispatching = undefined;
      });
      return dispatching;
    },
    onRoomFree: (listener) => {
      notifyRoomFree = listener;
    },
    stop: async () => {
      isStopped = true;
      try {
        await dispatching;
      } finally {
        // What that has claimed is begun, and waited for too.
        await Promise.all(inFlight);
      }
    },
  };
}

/** Claims all in one step; should somebody else have taken one meanwhile, each by itself. What is ours comes back. */
async function claim(store: Store, due: readonly DueEffect[], until: Instant): Promise<readonly DueEffect[]> {
  const writes = due.map(({ id, lease, effect }): Write => ({
    kind: "effectLeased",
    id,
    lease,
    until,
    ...endsOf(effect),
  }));
  if ("ok" in (await store.commit({ ...recordOnly([]), writes }))) return due;
  return due.length === 1 ? [] : (await Promise.all(due.map((one) => claim(store, [one], until)))).flat();
}
