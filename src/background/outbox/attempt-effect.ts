import { removesAccess } from "../../core/effects/effects.ts";
import type { EffectId, Instant } from "../../core/values/ids.ts";
import { minuteMs, plus, secondMs } from "../../core/values/time.ts";
import { DeliveryFault } from "../../service/messaging/messenger.ts";
import type { DueEffect, Step, Store, Write } from "../../service/ports/store.ts";
import type { Runtime } from "../../service/ports/runtime.ts";
import { recordOnly } from "../../service/decisions/decide-and-commit.ts";
import { classifyFault, type FaultFacts } from "./classify-fault.ts";
import type { CallResult } from "./circuit-breaker.ts";
import { createEffectSettler } from "./settle-effects.ts";
import {
  bindRunner,
  type AttemptInfo,
  type BoundRunner,
  type EffectOutcome,
  type Runners,
} from "./runner.ts";

/** How long an effect stays leased to a relay that has died. */
export const leaseMs = 2 * minuteMs;
/** How long one attempt may take; well inside the lease. */
export const attemptMs = 30 * secondMs;
/** Attempts are about 1 s, 2 s, 4 s … and at most this far apart. */
export const backoffMaxMs = 5 * minuteMs;
/** The longest `Retry-After` that is respected. */
const retryAfterMaxMs = 60 * minuteMs;

/** Called for every failed attempt, with the number of attempts so far. */
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
  /** 0 to 1: jitter, so that effects that failed together are not retried together. */
  readonly random: () => number;
  /** Releases the effect's slot at its destination. @returns when the destination is tried again, if it is down. */
  readonly release: (effect: DueEffect, result: CallResult) => Instant | undefined;
}

/** Makes one attempt at a leased effect, then settles the effect or releases it for a retry. */
export function createAttempt(
  store: Store,
  { now }: Pick<Runtime, "now">,
  runners: Runners,
  onFault: OnFault,
  { random, release }: AttemptOptions,
): (due: DueEffect) => Promise<void> {
  const failed = async (due: DueEffect, runner: BoundRunner, fault: unknown): Promise<Step> => {
    const { id, attempts, lease, createdAt, effect } = due;
    const facts = classifyFault(fault);
    onFault(fault, { effect: id, kind: effect.kind, code: facts.code, attempts: attempts + 1 });
    const openUntil = release(due, facts.isDestinationDown ? "down" : "up");
    const { retryLimitMs } = runner;
    const isExhausted =
      retryLimitMs !== undefined && (!facts.retryable || now() >= plus(createdAt, retryLimitMs));
    if (isExhausted) {
      return settled(due, await runner.onExhausted(facts.code, { id, attempts: attempts + 1, createdAt }));
    }
    const dueAt = openUntil ?? plus(now(), waitMs(facts, attempts, random()));
    const error = facts.code;
    const released: Write = {
      kind: "effectReleased",
      id,
      lease: lease + 1,
      dueAt,
      error,
      ...endsAccess(effect),
    };
    return { ...recordOnly([]), writes: [released] };
  };

  const settle = createEffectSettler(store);
  return async (due) => {
    const runner = bindRunner(runners, due.effect);
    let step: Step;
    try {
      const outcome = await withTimeout((signal) => runner.run(signal, attemptInfoOf(due)));
      release(due, "up");
      step = settled(due, outcome);
    } catch (fault) {
      step = await failed(due, runner, fault);
    }
    await settle(step);
  };
}

/** Marks a write about an effect that takes access away. */
export function endsAccess(effect: DueEffect["effect"]): { readonly ends?: true } {
  return removesAccess(effect) ? { ends: true } : {};
}

function attemptInfoOf({ id, attempts, createdAt }: DueEffect): AttemptInfo {
  return { id, attempts, createdAt };
}

/** Removes the effect and writes its outcome, in one commit. `lease + 1` is the lease we hold. */
function settled({ id, lease, effect }: DueEffect, outcome: EffectOutcome | undefined): Step {
  const settledEffect: Write = { kind: "effectSettled", id, lease: lease + 1, ...endsAccess(effect) };
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

/** Abandons a run that ignores its abort signal, so that it cannot occupy its slot forever. */
async function withTimeout<T>(run: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const { promise: timedOut, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    controller.abort();
    reject(new DeliveryFault("timeout", { retryable: true }));
  }, attemptMs);
  try {
    return await Promise.race([run(controller.signal), timedOut]);
  } finally {
    clearTimeout(timer);
  }
}
