import type { Effect } from "../core/effects.ts";

/** Does one kind of effect. Running it twice does what running it once does; it throws when it could not. */
export interface Runner<Kind extends Effect["kind"]> {
  run(effect: Extract<Effect, { kind: Kind }>, signal: AbortSignal): Promise<void>;
}

/** One runner for each kind of effect; a kind without one is a type error. */
export type Runners = { readonly [Kind in Effect["kind"]]: Runner<Kind> };

export async function runEffect(runners: Runners, effect: Effect, signal: AbortSignal): Promise<void> {
  switch (effect.kind) {
    case "notify":
      return runners.notify.run(effect, signal);
    case "end_access_of":
      return runners.end_access_of.run(effect, signal);
    case "provision":
      return runners.provision.run(effect, signal);
    case "take_back":
      return runners.take_back.run(effect, signal);
  }
}
