import type { Effect } from "../../core/effects/effects.ts";
import type { EffectId, Instant } from "../../core/values/ids.ts";
import type { Step } from "../../service/ports/store.ts";

/**
 * What running an effect has changed. Committed together with its removal, so that neither exists without the other.
 */
export type EffectOutcome = Partial<Pick<Step, "writes" | "effects" | "audit">>;

export interface AttemptInfo {
  readonly id: EffectId;
  /** How many attempts failed before this one. */
  readonly attempts: number;
  readonly createdAt: Instant;
}

/** Runs one kind of effect. It must be idempotent, and throws when the effect could not be completed. */
export interface Runner<Kind extends Effect["kind"]> {
  run(
    effect: Extract<Effect, { kind: Kind }>,
    signal: AbortSignal,
    about: AttemptInfo,
  ): Promise<EffectOutcome | undefined | void>;
  /** Absent: retried forever, as taking access away must be. */
  readonly retryLimit?: {
    /** Counted from the creation of the effect; a fault that is not retryable exhausts the limit at once. */
    readonly afterMs: number;
    /** What to write when the limit is exhausted. */
    onExhausted(
      effect: Extract<Effect, { kind: Kind }>,
      code: string,
      about: AttemptInfo,
    ): Promise<EffectOutcome | undefined>;
  };
}

/** One runner for each kind of effect; a kind without one is a type error. */
export type Runners = { readonly [Kind in Effect["kind"]]: Runner<Kind> };

/** The runner for this effect, with the effect filled in. */
export function bindRunner(runners: Runners, effect: Effect): BoundRunner {
  switch (effect.kind) {
    case "announce":
      return bind(runners.announce, effect);
    case "announce_key":
      return bind(runners.announce_key, effect);
    case "announce_waiting":
      return bind(runners.announce_waiting, effect);
    case "announce_link":
      return bind(runners.announce_link, effect);
    case "announce_key_expiry":
      return bind(runners.announce_key_expiry, effect);
    case "announce_ending":
      return bind(runners.announce_ending, effect);
    case "check_delivery":
      return bind(runners.check_delivery, effect);
    case "update_card":
      return bind(runners.update_card, effect);
    case "update_note":
      return bind(runners.update_note, effect);
    case "send_note":
      return bind(runners.send_note, effect);
    case "request_link":
      return bind(runners.request_link, effect);
    case "links_made":
      return bind(runners.links_made, effect);
    case "alert_admins":
      return bind(runners.alert_admins, effect);
    case "end_access_of":
      return bind(runners.end_access_of, effect);
    case "review_approvers":
      return bind(runners.review_approvers, effect);
    case "provision":
      return bind(runners.provision, effect);
    case "take_back":
      return bind(runners.take_back, effect);
  }
}

export interface BoundRunner {
  run(signal: AbortSignal, about: AttemptInfo): Promise<EffectOutcome | undefined>;
  readonly retryLimitMs: number | undefined;
  onExhausted(code: string, about: AttemptInfo): Promise<EffectOutcome | undefined>;
}

function bind<Kind extends Effect["kind"]>(
  runner: Runner<Kind>,
  effect: Extract<Effect, { kind: Kind }>,
): BoundRunner {
  return {
    run: async (signal, about) => (await runner.run(effect, signal, about)) ?? undefined,
    retryLimitMs: runner.retryLimit?.afterMs,
    onExhausted: async (code, about) => runner.retryLimit?.onExhausted(effect, code, about),
  };
}
