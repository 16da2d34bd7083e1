import type { EffectId, Instant } from "../core/ids.ts";
import { minuteMs, plus, secondMs } from "../core/time.ts";
import type { DueEffect, Store, Surroundings } from "../service/ports.ts";
import { recordOnly } from "../service/step.ts";
import { runEffect, type Runners } from "./runners.ts";

/** A relay that died is succeeded after this. */
export const leaseMs = 2 * minuteMs;
/** How long one attempt may take; well inside the lease. */
export const attemptMs = 30 * secondMs;
/** Waits of 1 s, 2 s, 4 s … up to this between attempts. There is no last attempt. */
export const backoffMaxMs = 5 * minuteMs;

/** Hears of every attempt that failed, and how many that makes. */
export type OnFault = (
  fault: unknown,
  about: { readonly effect?: EffectId; readonly attempts: number },
) => void;

/** Claims effects with a lease, runs them side by side within one attempt's time, and settles or puts back each. */
export type Attempt = (due: readonly DueEffect[]) => Promise<void>;

export function createAttempt(
  store: Store,
  surroundings: Pick<Surroundings, "now">,
  runners: Runners,
  onFault: OnFault,
): Attempt {
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

  return async (due) => {
    const claimed = await claim(store, due, plus(surroundings.now(), leaseMs));
    const giveUp = new AbortController();
    const { promise: timeIsUp, reject } = Promise.withResolvers<never>();
    timeIsUp.catch(() => {});
    const timer = setTimeout(() => {
      giveUp.abort();
      reject(new Error("the attempt took too long"));
    }, attemptMs);
    try {
      await Promise.all(claimed.map((one) => runOne(one, timeIsUp, giveUp.signal)));
    } finally {
      clearTimeout(timer);
    }
  };
}

/** Claims all in one step; should somebody else have taken one meanwhile, each by itself. What is ours comes back. */
async function claim(store: Store, due: readonly DueEffect[], until: Instant): Promise<readonly DueEffect[]> {
  const writes = due.map(({ id, lease }) => ({ kind: "effectLeased", id, lease, until }) as const);
  if ("ok" in (await store.commit({ ...recordOnly([]), writes }))) return due;
  return due.length === 1 ? [] : (await Promise.all(due.map((one) => claim(store, [one], until)))).flat();
}
