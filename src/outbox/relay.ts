import type { Effect } from "../core/effects.ts";
import type { EffectId } from "../core/ids.ts";
import { minuteMs, plus, secondMs } from "../core/time.ts";
import type { DueEffect, Store, Surroundings } from "../service/ports.ts";
import { recordOnly } from "../service/step.ts";
import { runEffect, type Runners } from "./runners.ts";

/** How many effects are read, claimed and run side by side. */
export const relayBatchMax = 50;
/** A relay that died is succeeded after this. */
export const leaseMs = 2 * minuteMs;
/** How long one attempt may take; well inside the lease. */
export const attemptMs = 30 * secondMs;
/** What becomes due within this is taken together, in one commit, when somebody is nudged. */
export const gatherMs = 20;
/** Waits of 1 s, 2 s, 4 s … up to this between attempts. There is no last attempt. */
export const backoffMaxMs = 5 * minuteMs;

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

/** Does what was decided, at least once: claims due effects with a lease, runs them, settles or puts them back. */
export function createRelay(
  store: Store,
  surroundings: Surroundings,
  runners: Runners,
  onFault: (fault: unknown, about: { readonly effect?: EffectId; readonly attempts: number }) => void,
): Relay {
  let running: Promise<void> | undefined;
  let nudged: NodeJS.Timeout | undefined;
  let isAskedAgain = false;
  let isStopped = false;

  /** All in one step; should somebody else have taken one of them meanwhile, each by itself. */
  const claim = async (due: readonly DueEffect[]): Promise<readonly DueEffect[]> => {
    const until = plus(surroundings.now(), leaseMs);
    const writes = due.map(({ id, lease }) => ({ kind: "effectLeased", id, lease, until }) as const);
    if ("ok" in (await store.commit({ ...recordOnly([]), writes }))) return due;
    return due.length === 1 ? [] : (await Promise.all(due.map((one) => claim([one])))).flat();
  };

  const runOne = async (
    { id, effect, attempts, lease }: DueEffect,
    timeIsUp: Promise<never>,
    signal: AbortSignal,
  ): Promise<void> => {
    const ours = lease + 1;
    try {
      // One that takes no notice of the signal is given up all the same, so that it cannot stall the others.
      await Promise.race([runEffect(runners, effect, signal), timeIsUp]);
      await store.commit({ ...recordOnly([]), writes: [{ kind: "effectSettled", id, lease: ours }] });
    } catch (fault) {
      onFault(fault, { effect: id, attempts: attempts + 1 });
      const waitMs = Math.min(backoffMaxMs, secondMs * 2 ** Math.min(attempts, 20));
      const dueAt = plus(surroundings.now(), waitMs);
      const error = fault instanceof Error ? fault.name : "unknown";
      await store.commit({
        ...recordOnly([]),
        writes: [{ kind: "effectPutBack", id, lease: ours, dueAt, error }],
      });
    }
  };

  /** Side by side, within one attempt's time. */
  const runAll = async (claimed: readonly DueEffect[]): Promise<void> => {
    const attempt = new AbortController();
    const { promise: timeIsUp, reject } = Promise.withResolvers<never>();
    timeIsUp.catch(() => {});
    const timer = setTimeout(() => {
      attempt.abort();
      reject(new Error("the attempt took too long"));
    }, attemptMs);
    await Promise.all(claimed.map((one) => runOne(one, timeIsUp, attempt.signal)));
    clearTimeout(timer);
  };

  const work = async (): Promise<void> => {
    do {
      isAskedAgain = false;
      for (;;) {
        const due = isStopped ? [] : await store.dueEffects(surroundings.now(), relayBatchMax);
        if (due.length === 0) break;
        await runAll(await claim(due));
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
