import type { Effect } from "../../core/effects/effects.ts";
import type { EffectId, Instant } from "../../core/values/ids.ts";
import type { Step } from "../../service/ports/store.ts";

/** What running an effect has changed: committed together with its end, so that neither is there without the other. */
export type EffectOutcome = Partial<Pick<Step, "writes" | "effects" | "audit">>;

/** How often and since when. */
export interface AttemptInfo {
  readonly id: EffectId;
  /** How often it was put back. */
  readonly attempts: number;
  readonly createdAt: Instant;
}

/** Does one kind of effect. Running it twice does what running it once does; it throws when it could not. */
export interface Runner<Kind extends Effect["kind"]> {
  run(
    effect: Extract<Effect, { kind: Kind }>,
    signal: AbortSignal,
    about: AttemptInfo,
  ): Promise<EffectOutcome | undefined | void>;
  /** Absent: tried for ever, as taking access away must be. */
  readonly retryLimit?: {
    /** After this, counted from when it first became due, and at once when trying again changes nothing. */
    readonly afterMs: number;
    /** What is to be written then. */
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
