import type { Effect } from "../../../core/effects/effects.ts";
import { minuteMs, plus } from "../../../core/values/time.ts";
import { newEffect } from "../../../service/decisions/build-step.ts";
import type { ServiceContext } from "../../../service/decisions/load-facts.ts";
import { DeliveryFault } from "../../../service/messaging/messenger.ts";
import type { EffectOutcome } from "../runner.ts";

/** The longest `Retry-After` of a platform that is respected for a rewrite. */
const postponedMaxMs = 10 * minuteMs;

/**
 * Plans the update for when the platform accepts rewrites again; throws any fault that names no such time. A postponed
 * update has an ordering key of its own, so that it delays no other message to its reader. It shows the state of then.
 */
export function postponeUpdate(
  { runtime }: ServiceContext,
  effect: Extract<Effect, { kind: "update_card" | "update_note" }>,
  fault: unknown,
): EffectOutcome {
  if (!(fault instanceof DeliveryFault) || fault.retryAfterMs === undefined) throw fault;
  const now = runtime.now();
  const again = newEffect({ ...effect, isPostponed: true }, { now, runtime });
  return { effects: [{ ...again, dueAt: plus(now, Math.min(fault.retryAfterMs, postponedMaxMs)) }] };
}
