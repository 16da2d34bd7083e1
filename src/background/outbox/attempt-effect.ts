import { takesAccessAway } from "../../core/effects/effects.ts";
import type { EffectId, Instant } from "../../core/values/ids.ts";
import { minuteMs, plus, secondMs } from "../../core/values/time.ts";
import { DeliveryFault } from "../../service/messaging/messenger.ts";
import type { DueEffect, Step, Store, Write } from "../../service/ports/store.ts";
import type { Runtime } from "../../service/ports/runtime.ts";
import { recordOnly } from "../../service/decisions/decide-and-commit.ts";
import { factsOf, type FaultFacts } from "./classify-fault.ts";
import type { CallResult } from "./circuit-breaker.ts";
import { createEffectSettler } from "./settle-effects.ts";
import {
  bindRunner,
  type AttemptInfo,
  type BoundRunner,
  type EffectOutcome,
  type Runners,
} from "./runner.ts";

/** A relay that died is succeeded after this. */
export const leaseMs = 2 * minuteMs;
/** How long one attempt may take; well inside the lease. */
export const attemptMs = 30 * secondMs;
/** Waits of about 1 s, 2 s, 4 s … up to this between attempts. */
export const backoffMaxMs = 5 * minuteMs;
/** Who says "come back later" is believed up to this. */
const retryAfterMaxMs = 60 * minuteMs;

/** Hears of every attempt that failed, and how many that makes. */
export type OnFault = (
  fault: unknown,
  about: {
    readonly effect?: EffectId;
    readonly kind?: string;
    readonly code?: string;
    readonly attempts: number;
  },
) => void;

export interface AttemptOptions {
  /** 0 to 1: spreads what failed together. */
  readonly random: () => number;
  /** When the way it went is tried again, if it is down; tells the gate that it has come back. */
  readonly release: (effect: DueEffect, result: CallResult) => Instant | undefined;
}

/** Makes one attempt at an effect that is leased to us, and settles it or puts it back. */
export function createAttempt(
  store: Store,
  { now }: Pick<Runtime, "now">,
  runners: Runners,
  onFault: OnFault,
  { random, release }: AttemptOptions,
): (due: DueEffect) => Promise<void> {
  const failed = async (due: DueEffect, runner: BoundRunner, fault: unknown): Promise<Step> => {
    const { id, attempts, lease, createdAt, effect } = due;
    const facts = factsOf(fault);
    onFault(fault, { effect: id, kind: effect.kind, code: facts.code, attempts: attempts + 1 });
    const openUntil = release(due, facts.isDestinationDown ? "down" : "up");
    const { retryLimitMs } = runner;
    const isLost = retryLimitMs !== undefined && (!facts.retryable || now() >= plus(createdAt, retryLimitMs));
    if (isLost) {
      return settled(due, await runner.onExhausted(facts.code, { id, attempts: attempts + 1, createdAt }));
    }
    const dueAt = openUntil ?? plus(now(), waitMs(facts, attempts, random()));
    const error = facts.code;
    const released: Write = { kind: "effectReleased", id, lease: lease + 1, dueAt, error, ...endsOf(effect) };
    return { ...recordOnly([]), writes: [released] };
  };

  const settle = createEffectSettler(store);
  return async (due) => {
    const runner = bindRunner(runners, due.effect);
    let step: Step;
    try {
      const outcome = await withinTime((signal) => runner.run(signal, aboutOf(due)));
      release(due, "up");
      step = settled(due, outcome);
    } catch (fault) {
      step = await failed(due, runner, fault);
    }
    await settle(step);
  };
}

/** Marks what is written about an effect that takes access away. */
export function endsOf(effect: DueEffect["effect"]): { readonly ends?: true } {
  return takesAccessAway(effect) ? { ends: true } : {};
}

function aboutOf({ id, attempts, createdAt }: DueEffect): AttemptInfo {
  return { id, attempts, createdAt };
}

/** Done for good, with what doing it has changed, in one commit. `lease + 1` is our claim. */
function settled({ id, lease, effect }: DueEffect, outcome: EffectOutcome | undefined): Step {
  const settledEffect: Write = { kind: "effectSettled", id, lease: lease + 1, ...endsOf(effect) };
  return {
    ...recordOnly(outcome?.audit ?? []),
    writes: [settledEffect, ...(outcome?.writes ?? [])],
    effects: outcome?.effects ?? [],
  };
}

function waitMs({ retryAfterMs }: FaultFacts, attempts: number, random: number): number {
  const backoff = Math.min(backoffMaxMs, secondMs * 2 ** Math.min(attempts, 20));
  if (retryAfterMs !== undefined) return Math.min(retryAfterMaxMs, Math.max(secondMs, retryAfterMs));
  return backoff * (0.75 + random / 2);
}

/** One that takes no notice of the signal is given up all the same, so that it cannot hold its place for ever. */
async function withinTime<T>(run: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const giveUp = new AbortController();
  const { promise: timeIsUp, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    giveUp.abort();
    reject(new DeliveryFault("timeout", { retryable: true }));
  }, attemptMs);
  try {
    return await Promise.race([run(giveUp.signal), timeIsUp]);
  } finally {
    clearTimeout(timer);
  }
}
