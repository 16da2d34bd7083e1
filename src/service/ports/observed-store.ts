import type { Step, Store } from "./store.ts";

/** Hears of every step once it is on disk. Must not throw and must not wait. */
export type CommitListener = (step: Step) => void;

/** The same store, which tells watchers what it has committed: the relay, people who wait for a change, the metrics. */
export function withCommitListeners(store: Store, listeners: readonly CommitListener[]): Store {
  return {
    ...store,
    async commit(step) {
      const result = await store.commit(step);
      if ("ok" in result) for (const listener of listeners) listener(step);
      return result;
    },
  };
}
