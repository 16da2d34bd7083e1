import type { Step, Store } from "./store.ts";

/** Hears of every step once it is on disk. Must not throw and must not wait. */
export type Watcher = (step: Step) => void;

/** The same store, which tells watchers what it has committed: the relay, people who wait for a change, the metrics. */
export function watched(store: Store, watchers: readonly Watcher[]): Store {
  return {
    ...store,
    async commit(step) {
      const result = await store.commit(step);
      if ("ok" in result) for (const watcher of watchers) watcher(step);
      return result;
    },
  };
}
