import type { Effect } from "../../core/effects/effects.ts";
import type { EffectId, Instant } from "../../core/values/ids.ts";
import type { Step } from "../../service/ports/store.ts";

/** What running an effect has changed: committed together with its end, so that neither is there without the other. */
export type Outcome = Partial<Pick<Step, "writes" | "effects" | "audit">>;

/** How often and since when. */
export interface Attempted {
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
    about: Attempted,
  ): Promise<Outcome | undefined | void>;
  /** Absent: tried for ever, as taking access away must be. */
  readonly givesUp?: {
    /** After this, counted from when it first became due, and at once when trying again changes nothing. */
    readonly afterMs: number;
    /** What is to be written then. */
    givenUp(
      effect: Extract<Effect, { kind: Kind }>,
      code: string,
      about: Attempted,
    ): Promise<Outcome | undefined>;
  };
}

/** One runner for each kind of effect; a kind without one is a type error. */
export type Runners = { readonly [Kind in Effect["kind"]]: Runner<Kind> };

/** The runner for this effect, with the effect filled in. */
export function boundRunner(runners: Runners, effect: Effect): BoundRunner {
  switch (effect.kind) {
    case "announce":
      return bound(runners.announce, effect);
    case "announce_key":
      return bound(runners.announce_key, effect);
    case "announce_waiting":
      return bound(runners.announce_waiting, effect);
    case "announce_link":
      return bound(runners.announce_link, effect);
    case "announce_key_expiry":
      return bound(runners.announce_key_expiry, effect);
    case "announce_ending":
      return bound(runners.announce_ending, effect);
    case "look_again":
      return bound(runners.look_again, effect);
    case "show":
      return bound(runners.show, effect);
    case "update_note":
      return bound(runners.update_note, effect);
    case "tell":
      return bound(runners.tell, effect);
    case "tell_link":
      return bound(runners.tell_link, effect);
    case "links_made":
      return bound(runners.links_made, effect);
    case "alert_admins":
      return bound(runners.alert_admins, effect);
    case "end_access_of":
      return bound(runners.end_access_of, effect);
    case "review_approvers":
      return bound(runners.review_approvers, effect);
    case "provision":
      return bound(runners.provision, effect);
    case "take_back":
      return bound(runners.take_back, effect);
  }
}

export interface BoundRunner {
  run(signal: AbortSignal, about: Attempted): Promise<Outcome | undefined>;
  readonly giveUpAfterMs: number | undefined;
  givenUp(code: string, about: Attempted): Promise<Outcome | undefined>;
}

function bound<Kind extends Effect["kind"]>(
  runner: Runner<Kind>,
  effect: Extract<Effect, { kind: Kind }>,
): BoundRunner {
  return {
    run: async (signal, about) => (await runner.run(effect, signal, about)) ?? undefined,
    giveUpAfterMs: runner.givesUp?.afterMs,
    givenUp: async (code, about) => runner.givesUp?.givenUp(effect, code, about),
  };
}
