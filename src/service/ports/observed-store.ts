import type { Step, Store } from "./store.ts";

/** Called with every step once it is on disk. Must not throw and must not block. */
export type CommitListener = (step: Step) => void;

/** The same store, which reports each commit to its listeners: the relay, waiting readers, the metrics. */
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
