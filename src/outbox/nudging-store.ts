import type { Store } from "../service/ports.ts";

/** The same store, which wakes the relay when a commit has left something to do outside. */
export function nudging(store: Store, nudge: () => void): Store {
  return new Proxy(store, {
    get(target, name, receiver): unknown {
      if (name !== "commit") return Reflect.get(target, name, receiver);
      const commit: Store["commit"] = async (step) => {
        const result = await target.commit(step);
        if ("ok" in result && step.effects.length > 0) nudge();
        return result;
      };
      return commit;
    },
  });
}
